import { performance } from "node:perf_hooks";
import { InputError, WorkError } from "../../errors.js";
import { emptySpan } from "../../values/block-span.js";
import type { MeasuredRun } from "../measured-run.js";
import { UNKNOWN_SETTINGS } from "../run-settings.js";
import type { RunSettings } from "../run-settings.js";
import type { RunWorkload } from "../simulate-run.js";
import { OpenAiClient } from "./openai-client.js";
import type { CompletionTimes } from "./openai-client.js";
import { probePlan, probePrompt } from "./probe-plan.js";
import type { ProbeLimits, ProbeStage } from "./probe-plan.js";

/** A server measured from outside, as a run and the workload that was sent. */
export interface Probe {
  readonly run: MeasuredRun;
  readonly workload: RunWorkload;
  readonly warnings: readonly string[];
}

const REQUEST_TIMEOUT_MS = 120_000;

/**
 * Measures a live OpenAI-compatible server with a short designed load.
 *
 * @param onStage is told of every stage before it begins
 * @throws InputError for something that is no URL, WorkError where the server does not answer as expected
 */
export async function runProbe(
  url: string,
  limits: ProbeLimits,
  onStage: (stage: ProbeStage, done: number, of: number) => void,
): Promise<Probe> {
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new InputError(`--url: got ${url}, expected http://HOST:PORT`);
  }
  const stages = probePlan(limits);
  const connections = Math.max(...stages.map((stage) => stage.concurrency));
  const client = new OpenAiClient(url, connections, REQUEST_TIMEOUT_MS);
  try {
    const model = await client.model();
    const settings = settingsFrom(model, await client.metrics());
    const warnings: string[] = [];
    const completions: CompletionTimes[] = [];
    const beginMs = performance.now();
    let number = 0;
    for (const [done, stage] of stages.entries()) {
      if (performance.now() - beginMs > limits.maxSeconds * 1e3) {
        warnings.push(
          `the probe stopped after ${limits.maxSeconds} s, ${stages.length - done} of ${stages.length} stages were not run.`,
        );
        break;
      }
      onStage(stage, done, stages.length);
      const sent = Array.from({ length: stage.concurrency }, () =>
        client.complete(model, probePrompt(number++, stage.promptTokens), stage.outputTokens),
      );
      const times = await Promise.all(sent);
      if (done > 0) completions.push(...times);
    }
    if (completions.length === 0) throw new WorkError(`${url}: no stage of the probe was measured in time`);
    return { ...asRun(url, settings, completions), warnings };
  } finally {
    await client.close();
  }
}

function asRun(
  url: string,
  settings: RunSettings,
  completions: readonly CompletionTimes[],
): Pick<Probe, "run" | "workload"> {
  const rows = [...completions].sort((a, b) => a.sentMs - b.sentMs);
  const startMs = rows[0]!.sentMs;
  const column = (of: (row: CompletionTimes) => number): Float64Array => Float64Array.from(rows, of);
  const arrivalMs = column((row) => row.sentMs - startMs);
  const inputTokens = Int32Array.from(rows, (row) => row.promptTokens);
  const outputTokens = Int32Array.from(rows, (row) => row.outputTokens);
  const unknown = new Float64Array(rows.length).fill(NaN);
  const blockTokens = settings.blockSize ?? 16;
  return {
    run: {
      path: url,
      startsAt: "client",
      timeline: [],
      settings,
      requests: {
        count: rows.length,
        inputTokens,
        outputTokens,
        arrivalMs,
        queuedMs: unknown,
        scheduledMs: unknown,
        firstTokenMs: column((row) => row.firstTokenMs - startMs),
        lastTokenMs: column((row) => row.lastTokenMs - startMs),
        ttftMs: column((row) => row.firstTokenMs - row.sentMs),
        tpotMs: column((row) =>
          row.outputTokens < 2 ? NaN : (row.lastTokenMs - row.firstTokenMs) / (row.outputTokens - 1),
        ),
        e2eMs: column((row) => row.lastTokenMs - row.sentMs),
      },
    },
    workload: {
      count: rows.length,
      arrivalMs,
      inputTokens,
      outputTokens,
      content: () => emptySpan(blockTokens),
    },
  };
}

/** vLLM tells its KV cache in the labels of the metric `vllm:cache_config_info`. */
function settingsFrom(model: string, metrics: string | null): RunSettings {
  const labels = /^vllm:cache_config_info\{([^}]*)\}/m.exec(metrics ?? "")?.[1] ?? "";
  const label = (name: string): string | null => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? null;
  const whole = (name: string): number | null => {
    const value = Number(label(name));
    return label(name) !== null && Number.isSafeInteger(value) && value > 0 ? value : null;
  };
  const caching = label("enable_prefix_caching");
  return {
    ...UNKNOWN_SETTINGS,
    model,
    blockSize: whole("block_size"),
    numGpuBlocks: whole("num_gpu_blocks"),
    enablePrefixCaching: caching === null ? null : caching === "True",
  };
}

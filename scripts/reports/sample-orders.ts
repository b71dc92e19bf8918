import { loadScenario } from "../../src/scenario/load.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { runScenario } from "../../src/sweep/run-scenario.js";
import { randomStream, type Random } from "../../src/values/random.js";
import type { RawTrace } from "../../src/workload/raw-trace.js";
import { RawTraceBuilder } from "../../src/workload/raw-trace-builder.js";
import type { Settings } from "./story.js";

/** A way in which a client may send the samples of shared prompts. */
export interface SampleOrder {
  readonly label: string;
  /** Place of a request in the order of sending; equal places keep the order of the trace. */
  readonly place: (prompt: number, sample: number, random: Random) => number;
  /** As many clients, each with a prompt at a time, send a sample when the one before has been answered. */
  readonly clients?: number;
}

/** What one run came to. */
export interface OrderedRun {
  readonly hitRate: number;
  /** Engines that the samples of a prompt went to, on average. */
  readonly enginesPerPrompt: number;
}

const SAMPLES = 8;
const GAP_MS = 5;

/** Runs the scenario with its requests in another order; the seed draws order and answers. */
export async function runInOrder(
  scenario: string,
  settings: Settings,
  order: SampleOrder,
  seed: number,
): Promise<OrderedRun> {
  const all = { ...settings, seed, ...(order.clients !== undefined && { "workload.concurrency": order.clients }) };
  const resolved = loadScenario(
    scenario,
    Object.entries(all).map(([setting, value]) => ({ setting, value, source: setting })),
  );
  const { trace, promptOf } = inOrder(await loadTrace(resolved), order, randomStream(seed, "sample-order"));
  const engines = new Map<number, Set<number>>();
  const { summary } = runScenario(resolved, trace, {
    onDecision: ({ requestId, decode }) => {
      const prompt = promptOf[requestId]!;
      engines.set(prompt, (engines.get(prompt) ?? new Set()).add(decode!.worker));
    },
  });
  const visited = [...engines.values()].reduce((sum, { size }) => sum + size, 0);
  return { hitRate: summary.cache.hit_rate!, enginesPerPrompt: visited / engines.size };
}

/** The trace with its rows sent in order, 5 ms apart, and the prompt of each row. */
function inOrder(
  trace: RawTrace,
  { place, clients }: SampleOrder,
  random: Random,
): { readonly trace: RawTrace; readonly promptOf: readonly number[] } {
  const rows = Array.from({ length: trace.count }, (_, row) => {
    const prompt = Math.floor(row / SAMPLES);
    return { row, prompt, place: place(prompt, row % SAMPLES, random) };
  }).sort((a, b) => a.place - b.place || a.row - b.row);
  const builder = new RawTraceBuilder(trace.blocks.blockTokens);
  builder.coversOutput = trace.coversOutput;
  builder.tickMs = 0;
  rows.forEach(({ row, prompt }, at) => {
    for (let run = trace.runOffset[row]!; run < trace.runOffset[row + 1]!; run++) {
      builder.blocks.append(trace.blocks.runId[run]!, trace.blocks.runCount[run]!);
    }
    builder.add({
      arrivalMs: at * GAP_MS,
      inputTokens: trace.inputTokens[row]!,
      outputTokens: trace.outputTokens[row]!,
      ...(clients !== undefined && { session: prompt, thinkMs: 0 }),
    });
  });
  return { trace: builder.take(trace.source), promptOf: rows.map(({ prompt }) => prompt) };
}

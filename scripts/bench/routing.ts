import { POLICIES } from "../../src/routing/registry.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { Router } from "../../src/routing/router.js";
import type { RoutingRequest, WorkerSpec } from "../../src/routing/types.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { expandSpan } from "../../src/values/block-span.js";
import { taken, type BenchCase } from "./measure.js";
import { conversation } from "./simulations.js";

/** Decisions until the machine code is what a run goes on with. */
const WARM_UP = 4_000;
/** What is measured: as many decisions as are made in this much CPU time, or all of them. */
const MOST_CPU_S = 0.6;
const DECISIONS = 40_000;
const BATCH = 1_000;
/** Requests open at a time. */
const OPEN_PER_WORKER = 4;

/** Decisions a CPU second of every policy on both legs, over the prefixes of the trace. */
export function decisions(workers: number): BenchCase {
  return {
    async run(trace) {
      const requests = await routingRequests(trace);
      const figures: Record<string, number> = {};
      for (const { name } of POLICIES) {
        figures[`${name}_decisions_per_cpu_s`] = await decisionRate(name, workers, requests);
      }
      return figures;
    },
  };
}

async function decisionRate(
  policy: string,
  workers: number,
  requests: readonly RoutingRequest[],
): Promise<number> {
  const specs = Array.from({ length: workers }, (_, i): WorkerSpec => ({
    id: `w${i}`,
    leg: i % 2 === 0 ? "prefill" : "decode",
  }));
  const router = new Router(resolveRouterConfig({ policy, decider: { kind: "always" } }).config, specs, 1);
  for (let worker = 0; worker < workers; worker++) {
    router.updateStats(worker, { running: worker % 5, waiting: 0, kvUsage: 0.5, atMs: 0 });
  }
  const open = OPEN_PER_WORKER * workers;
  let decided = 0;
  const decide = (count: number): void => {
    for (let i = decided; i < decided + count; i++) {
      router.route({ ...requests[i % requests.length]!, id: i }, i);
      // What is open ends in another order than it came, as outputs of different lengths do.
      if (i >= open) router.onRequestEnd((i - open) ^ 1, "completed", i);
    }
    decided += count;
  };
  decide(WARM_UP + open);
  let measured = 0;
  let spentS = 0;
  while (measured < DECISIONS && spentS < MOST_CPU_S) {
    spentS += (await taken(() => decide(BATCH))).cpuS;
    measured += BATCH;
  }
  return measured / spentS;
}

async function routingRequests(trace: string | null): Promise<RoutingRequest[]> {
  const raw = await loadTrace(conversation(trace));
  return Array.from({ length: raw.count }, (_, row) => {
    const span = { table: raw.blocks, start: raw.runOffset[row]!, end: raw.runOffset[row + 1]! };
    const promptTokens = raw.inputTokens[row]!;
    const limit = Math.ceil(promptTokens / raw.blocks.blockTokens);
    const symbols = new Int32Array(limit);
    const length = expandSpan(span, symbols, limit);
    return {
      id: row,
      promptTokens,
      prefix: { symbols, length, unitsPerSymbol: raw.blocks.blockTokens, totalUnits: promptTokens },
      sessionKey: String(row % 1000),
      model: "",
      priority: 0,
    };
  });
}

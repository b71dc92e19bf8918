import { POLICIES } from "../../src/routing/registry.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { Router } from "../../src/routing/router.js";
import type { RoutingRequest, WorkerSpec } from "../../src/routing/types.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { expandSpan } from "../../src/values/block-span.js";
import { taken, type BenchCase } from "./measure.js";
import { conversation } from "./simulations.js";

const DECISIONS = 20_000;
/** Requests open at a time. */
const OPEN = 64;

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
  const { cpuS } = await taken(() => {
    for (let i = 0; i < DECISIONS; i++) {
      router.route({ ...requests[i % requests.length]!, id: i }, i);
      if (i >= OPEN) router.onRequestEnd(i - OPEN, "completed", i);
    }
  });
  return DECISIONS / cpuS;
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

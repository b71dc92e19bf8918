import { expect, it } from "vitest";
import { loadScenario } from "../../src/scenario/load.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { runScenario } from "../../src/sweep/run-scenario.js";
import { describeWithSharedData, sharedData } from "../support/shared-data.js";

const TRACE = "traces/mooncake-conversation.jsonl";

describeWithSharedData("one engine with unlimited KV under light load", [TRACE], () => {
  it.each([16, 512])(
    "hits what an unlimited cache of the trace would, with blocks of %i tokens",
    async (blockSize) => {
      const settings = {
        trace: sharedData(TRACE),
        prefill_workers: 0,
        decode_workers: 1,
        decider: "never",
        "router.policy": "round_robin",
        "engine.num_gpu_blocks": "unlimited",
        "engine.block_size": blockSize,
        speedup: 0.05,
      };
      const overrides = Object.entries(settings).map(([setting, value]) => ({
        setting,
        value,
        source: setting,
      }));
      const scenario = loadScenario("conversation-4p4d", overrides);
      const { summary } = runScenario(scenario, await loadTrace(scenario));
      expect(Math.abs(summary.cache.hit_rate! - 0.3736)).toBeLessThan(0.01);
      expect(summary.requests.completed).toBe(12_031);
    },
  );
});

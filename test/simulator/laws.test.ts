import fc from "fast-check";
import { mean } from "simple-statistics";
import { describe, expect, it } from "vitest";
import { simulate } from "../../src/simulator/simulator.js";
import { randomStream } from "../../src/values/random.js";
import { fleet, STEP_TIME, workloadOf, type FleetOptions, type Row } from "./fleet.js";

const FREE_LINK = { bandwidthGbps: Infinity, latencyMs: 0, hopMs: 0 };

describe("laws that restate no formula of the model", () => {
  it("a lone request is never faster through a free and instant link than in one engine", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 16, max: 600 }),
        (input, output, maxNumBatchedTokens) => {
          const run = (kind: "always" | "never") =>
            simulate(
              fleet(workloadOf([{ input, output }]), {
                engine: { maxNumBatchedTokens },
                network: FREE_LINK,
                router: { decider: { kind } },
              }),
            ).records;
          const apart = run("always");
          const together = run("never");
          expect(apart.firstTokenMs[0]!).toBeGreaterThan(together.firstTokenMs[0]!);
          expect(apart.lastTokenMs[0]!).toBeGreaterThan(together.lastTokenMs[0]!);
        },
      ),
    );
  });

  it("bytes over a link take at least bytes over bandwidth, alone and in company", () => {
    const rows = fc.array(
      fc.record({ arrivalMs: fc.integer({ min: 0, max: 50 }), input: fc.integer({ min: 1, max: 900 }) }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(rows, fc.constantFrom(0.5, 5, 50), (drawn, bandwidthGbps) => {
        const workload = workloadOf(drawn.map((row): Row => ({ ...row, output: 2 })).sort(byArrival));
        const { records } = simulate(
          fleet(workload, { network: { bandwidthGbps }, router: { decider: { kind: "always" } } }),
        );
        records.inputTokens.forEach((tokens, row) => {
          const leastMs = (tokens * 1e5 * 8) / (bandwidthGbps * 1e6);
          expect(records.kvTransferMs[row]!).toBeGreaterThanOrEqual(leastMs);
        });
      }),
    );
  });

  it("a request never fails where vLLM would wait: whatever fits an empty engine is served", () => {
    const rows = fc.array(
      fc.record({ input: fc.integer({ min: 1, max: 900 }), output: fc.integer({ min: 1, max: 60 }) }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, fc.constantFrom("always", "never"), (drawn, kind) => {
        const options: FleetOptions = {
          prefill: 1,
          decode: 1,
          // 960 tokens need 60 blocks; block 0 is vLLM's null block.
          engine: { numGpuBlocks: 61 },
          router: { decider: { kind } },
        };
        const { records } = simulate(fleet(workloadOf(drawn), options));
        expect(records.status.every((status) => status === 0)).toBe(true);
      }),
    );
  });

  it("the queue of a lightly loaded prefill engine is that of M/D/1", () => {
    const input = 512;
    const serviceMs = STEP_TIME.stepMs({
      decodes: 0,
      decodeContextTokens: 0,
      decodeMaxContextTokens: 0,
      prefills: 1,
      prefillTokens: input,
      prefillContextTokens: 0,
      prefillPairs: 0,
    });
    const random = randomStream(7, "md1");
    for (const utilization of [0.2, 0.5]) {
      let arrivalMs = 0;
      const rows = Array.from({ length: 40_000 }, (): Row => {
        arrivalMs -= (serviceMs / utilization) * Math.log(1 - random.nextFloat());
        return { arrivalMs, input, output: 1 };
      });
      const { records } = simulate(
        fleet(workloadOf(rows), {
          decode: 1,
          // The budget is one prompt, so prompts are served one by one.
          engine: { maxNumBatchedTokens: input, maxNumSeqs: 1 },
          router: { decider: { kind: "never" } },
        }),
      );
      const expectedMs = (utilization * serviceMs) / (2 * (1 - utilization));
      expect(Math.abs(mean([...records.queueMs]) / expectedMs - 1)).toBeLessThan(0.04);
    }
  });
});

function byArrival(a: Row, b: Row): number {
  return a.arrivalMs! - b.arrivalMs!;
}

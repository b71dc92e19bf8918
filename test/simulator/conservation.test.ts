import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VLLM_VERSIONS } from "../../src/engine/vllm-versions.js";
import { simulate } from "../../src/simulator/simulator.js";
import { fleet, workloadOf, type FleetOptions, type Row } from "./fleet.js";

const rows = fc.array(
  fc.record({
    arrivalMs: fc.integer({ min: 0, max: 400 }),
    input: fc.integer({ min: 1, max: 900 }),
    output: fc.integer({ min: 1, max: 40 }),
    prefix: fc.integer({ min: 0, max: 2 }),
    cancelAfterMs: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined, freq: 4 }),
    priority: fc.integer({ min: 0, max: 2 }),
  }),
  { minLength: 1, maxLength: 40 },
);

const options: fc.Arbitrary<FleetOptions> = fc.record({
  prefill: fc.integer({ min: 1, max: 3 }),
  decode: fc.integer({ min: 1, max: 3 }),
  engine: fc.record({
    // The longest request needs 59 blocks: what never fits is no matter of conservation.
    numGpuBlocks: fc.integer({ min: 62, max: 300 }),
    maxNumSeqs: fc.integer({ min: 1, max: 8 }),
    maxNumBatchedTokens: fc.integer({ min: 32, max: 600 }),
    enablePrefixCaching: fc.boolean(),
    schedulingPolicy: fc.constantFrom("fcfs" as const, "priority" as const),
    rules: fc.constantFrom(...Object.values(VLLM_VERSIONS)),
  }),
  network: fc.record({
    bandwidthGbps: fc.constantFrom(1, 100, Infinity),
    latencyMs: fc.constantFrom(0, 3),
    contention: fc.boolean(),
    hopMs: fc.constantFrom(0, 0.5),
  }),
  router: fc.record({
    decider: fc.constantFrom(
      { kind: "always" },
      { kind: "never" },
      { kind: "threshold", routing_threshold: 300 },
    ),
    policy: fc.constantFrom("random", "round_robin", "least_loaded", "power_of_two", "cache_aware"),
    order: fc.constantFrom("independent", "decode_first", "prefill_first", "late_decode"),
  }),
});

type DrawnRow = typeof rows extends fc.Arbitrary<(infer T)[]> ? T : never;

/** Requests of one prefix share the ids of their blocks as far as the shorter one goes. */
function toRows(drawn: readonly DrawnRow[]): Row[] {
  return [...drawn]
    .sort((a, b) => a.arrivalMs - b.arrivalMs)
    .map(({ prefix, cancelAfterMs, ...row }) => ({
      ...row,
      ...(cancelAfterMs === undefined ? {} : { cancelAfterMs }),
      blocks: Array.from({ length: Math.ceil(row.input / 16) }, (_, j) => 1000 * prefix + j),
    }));
}

describe("whatever happens", () => {
  it("every request ends exactly once, and every block, load count and transfer is returned", () => {
    fc.assert(
      fc.property(rows, options, (drawn, fleetOptions) => {
        const workload = workloadOf(toRows(drawn));
        let drained = false;
        const { records, workers, notes } = simulate(fleet(workload, fleetOptions), {
          onDrained({ engines, router, network }) {
            drained = true;
            expect(router.isIdle()).toBe(true);
            expect(network.inFlight()).toBe(0);
            const held = engines.map((engine) => engine.blocksInUse());
            // Before main-2026-08 an idle engine learns of finished transfers only with its next request.
            if (fleetOptions.engine?.rules?.idlePollsFinishedSends) expect(held).toEqual(held.map(() => 0));
            for (const engine of engines) {
              const { running, waiting } = engine.gauges(Infinity);
              expect([running, waiting]).toEqual([0, 0]);
            }
          },
        });
        expect(drained).toBe(true);
        for (let row = 0; row < workload.count; row++) {
          const cancelled = records.status[row] === 2;
          if (notes.length > 0 && records.status[row] === 1) continue;
          if (!cancelled) expect(records.status[row]).toBe(0);
          if (!cancelled) expect(records.outputTokens[row]).toBe(workload.outputTokens[row]);
          expect(records.sentMs[row]).toBe(workload.arrivalMs[row]);
          if (cancelled) continue;
          expect(records.queueMs[row]).toBeGreaterThanOrEqual(-1e-9);
          expect(records.firstTokenMs[row]).toBeGreaterThan(records.sentMs[row]!);
          expect(records.lastTokenMs[row]).toBeGreaterThanOrEqual(records.firstTokenMs[row]!);
        }
        const legs = workers.reduce((sum, worker) => sum + worker.requests, 0);
        const disaggregated = records.path.reduce((sum, path) => sum + path, 0);
        expect(legs).toBeLessThanOrEqual(workload.count + disaggregated);
      }),
      { numRuns: 300 },
    );
  });

  it("the fast and the plain engine give the same run", () => {
    fc.assert(
      fc.property(rows, options, (drawn, fleetOptions) => {
        const workload = workloadOf(toRows(drawn));
        const fast = simulate(fleet(workload, { ...fleetOptions, time: "fast" }));
        const plain = simulate(fleet(workload, { ...fleetOptions, time: "plain" }));
        for (const name of [
          "path",
          "prefillWorker",
          "decodeWorker",
          "cachedTokens",
          "preemptions",
          "status",
        ] as const) {
          expect(fast.records[name]).toEqual(plain.records[name]);
        }
        for (const name of ["sentMs", "queueMs", "prefillMs", "firstTokenMs", "lastTokenMs"] as const) {
          plain.records[name].forEach((expected, row) => {
            const got = fast.records[name][row]!;
            if (Number.isNaN(expected)) expect(got).toBeNaN();
            else expect(Math.abs(got - expected)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(expected)));
          });
        }
      }),
      { numRuns: 200 },
    );
  });
});

import { describe, expect, it } from "vitest";
import { simulate } from "../../../src/simulator/simulator.js";
import { decidedLegs, outcomeOf } from "../../../src/sweep/regret/decided-legs.js";
import { outcomeOn, regretOf } from "../../../src/sweep/regret/decision-regret.js";
import { studyRegret } from "../../../src/sweep/regret/regret-study.js";
import { fleet, workloadOf, type FleetOptions, type Row } from "../../simulator/fleet.js";

/** Bursts of long and short prompts of three conversations. */
const rowsEvery = (gapMs: number) =>
  Array.from({ length: 90 }, (_, i): Row => ({
    arrivalMs: gapMs * i + (i % 7),
    input: i % 4 === 0 ? 801 : 161,
    output: 5 + (i % 11),
    blocks: Array.from({ length: i % 4 === 0 ? 50 : 10 }, (_, j) =>
      j < 6 ? 10 * (i % 3) + j : 1000 + 60 * i + j,
    ),
  }));

const setupOf = (options: FleetOptions = {}, gapMs = 30) =>
  fleet(workloadOf(rowsEvery(gapMs)), { prefill: 3, decode: 3, ...options });
const THRESHOLD = { kind: "threshold", routing_threshold: 256 };

describe("the regret of a decision", () => {
  it.each([
    ["round_robin", "independent"],
    ["cache_aware", "independent"],
    ["random", "decode_first"],
    ["power_of_two", "late_decode"],
  ])("sending a request where %s sent it (%s) changes nothing", (policy, order) => {
    const setup = setupOf({ router: { decider: THRESHOLD, policy, order } });
    for (const decided of decidedLegs(setup).filter(({ row }) => row % 9 === 0)) {
      expect(outcomeOn(setup, decided, decided.worker)).toEqual(decided.outcome);
    }
  });

  it("is against what a run with that request pinned gives", () => {
    const setup = setupOf({ router: { decider: THRESHOLD, policy: "round_robin" } });
    const decided = decidedLegs(setup).find(({ row, leg }) => row === 40 && leg === "decode")!;
    const others = [3, 4, 5].filter((worker) => worker !== decided.worker);
    const { best } = regretOf(setup, decided, others);
    const outcomes = others.map((decode) => {
      const prefill = decided.otherWorker;
      const pins = new Map([[40, { decode, ...(prefill !== null && { prefill }) }]]);
      const { records } = simulate(setup, { pins });
      expect(records.decodeWorker[40]).toBe(decode);
      return outcomeOf(records, 40)!;
    });
    expect(best.ttft.ms).toBe(Math.min(decided.outcome.ttftMs, ...outcomes.map(({ ttftMs }) => ttftMs)));
    expect(best.e2e.ms).toBe(Math.min(decided.outcome.e2eMs, ...outcomes.map(({ e2eMs }) => e2eMs)));
  });

  it("passes over a worker that does not exist for the leg", () => {
    const setup = setupOf({ router: { decider: THRESHOLD, policy: "round_robin" } });
    const decided = decidedLegs(setup).find(({ leg }) => leg === "decode")!;
    expect(outcomeOn(setup, decided, 0)).toBeNull();
  });
});

describe("a study of regret", () => {
  it("is the same every time, and another for another seed", () => {
    const router = { decider: THRESHOLD, policy: "random" };
    const study = (seed: number) => studyRegret(setupOf({ router, seed }), { sample: 12 });
    expect(study(1)).toEqual(study(1));
    const rows = (seed: number) => study(seed).decisions.map(({ decided }) => decided.row);
    expect(rows(1)).not.toEqual(rows(2));
  });

  it("leaves out legs with one worker, and is never below zero", () => {
    const setup = setupOf({ prefill: 1, router: { decider: THRESHOLD, policy: "round_robin" } });
    const { legs, decisions } = studyRegret(setup, { sample: 1e6 });
    expect(legs.map(({ leg }) => leg)).toEqual(["decode"]);
    expect(legs[0]).toMatchObject({ decisions: 90, sampled: 90 });
    for (const { decided, best } of decisions) {
      expect(best.ttft.ms).toBeLessThanOrEqual(decided.outcome.ttftMs);
      expect(best.e2e.ms).toBeLessThanOrEqual(decided.outcome.e2eMs);
    }
  });

  it("finds less regret where policies know what waits than where they do not", () => {
    const meanRegret = (policy: string) => {
      const setup = setupOf({ prefill: 0, router: { decider: "never", policy } }, 8);
      return studyRegret(setup, { sample: 1e6 }).legs[0]!.ttft_ms.regret_mean!;
    };
    expect(meanRegret("random")).toBeGreaterThan(2 * meanRegret("least_estimated_ttft"));
  });

  it("counts its simulations to the last", () => {
    const seen: string[] = [];
    const setup = setupOf({ router: { decider: THRESHOLD, policy: "round_robin" } });
    studyRegret(setup, { sample: 3, onProgress: (done, total) => seen.push(`${done}/${total}`) });
    expect(seen).toEqual(["1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7"]);
  });
});

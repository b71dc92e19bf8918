import fc from "fast-check";
import { mean, standardDeviation } from "simple-statistics";
import { describe, expect, it } from "vitest";
import type { ArrivalOptions } from "../../src/workload/arrivals.js";
import { buildWorkload } from "../../src/workload/build-workload.js";
import { generateWorkload } from "../../src/workload/generate-workload.js";
import { RawTraceBuilder } from "../../src/workload/raw-trace-builder.js";
import type { TraceRow } from "../../src/workload/trace-rows.js";
import type { RawTrace } from "../../src/workload/raw-trace.js";
import { toShared } from "../../src/workload/shared-columns.js";

function traceOf(rows: readonly Partial<TraceRow>[], tickMs: number | null = 0): RawTrace {
  const trace = new RawTraceBuilder(16);
  trace.tickMs = tickMs;
  for (const row of rows) trace.add({ arrivalMs: 0, inputTokens: 10, outputTokens: 5, ...row });
  return trace.take("test");
}

const at = (...times: number[]): Partial<TraceRow>[] => times.map((arrivalMs) => ({ arrivalMs }));

/** `count` requests, ten to a tick of about 3 s. */
function mooncakeLike(count: number): RawTrace {
  const wander = [0, 0, 0, -1, 0, 0, 2, 0];
  return traceOf(
    at(
      ...Array.from({ length: count }, (_, i) => 3000 * Math.floor(i / 10) + wander[Math.floor(i / 10) % 8]!),
    ),
    null,
  );
}

const gapsOf = (times: Float64Array): number[] => Array.from(times.subarray(1), (ms, i) => ms - times[i]!);

describe("buildWorkload at trace time", () => {
  it("keeps the times of the trace", () => {
    const workload = buildWorkload(traceOf(at(5, 7, 30)));
    expect([...workload.arrivalMs]).toEqual([0, 2, 25]);
    expect(workload.notes).toEqual([]);
    expect([...workload.previous]).toEqual([-1, -1, -1]);
    expect(workload.concurrency).toBe(0);
  });

  it("divides the time between arrivals by the speed-up", () => {
    const workload = buildWorkload(traceOf(at(0, 20, 30)), { speedup: 10 });
    expect([...workload.arrivalMs]).toEqual([0, 2, 3]);
    expect(workload.notes).toEqual(["The time between arrivals is divided by 10."]);
  });

  it("takes the first requests only", () => {
    const workload = buildWorkload(traceOf(at(0, 20, 30)), { requests: 2 });
    expect(workload.count).toBe(2);
    expect(workload.arrivalMs).toHaveLength(2);
    expect(workload.runOffset).toHaveLength(3);
    expect(buildWorkload(traceOf(at(0, 1)), { requests: 9 }).notes.join()).toContain(
      "only 2 requests, 9 were asked",
    );
  });

  it("shares the columns that do not depend on times with the trace", () => {
    const trace = toShared(traceOf(at(0, 1)));
    expect(buildWorkload(trace).inputTokens.buffer).toBe(trace.inputTokens.buffer);
  });
});

describe("ticks", () => {
  it.each([
    ["3 s, wandering by milliseconds", mooncakeLike(500), 3000],
    [
      "1 s, with empty seconds between",
      traceOf(at(1000, 1000, 1000, 2000, 2000, 5000, 5000, 6000, 9000, 9000), null),
      1000,
    ],
    ["none: every request has its own time", traceOf(at(0, 1000, 2000, 3000, 4000), null), 0],
    ["none: a few requests share a time", traceOf(at(0, 17, 17, 101, 333, 421, 555, 613, 777), null), 0],
    [
      "none: bursts at irregular times",
      traceOf(at(0, 0, 0, 1000, 1000, 1000, 3377, 3377, 4100, 4100, 5555, 5555), null),
      0,
    ],
    ["none: one burst", traceOf(at(0, 0, 0), null), 0],
    ["none: one request", traceOf(at(0), null), 0],
    ["none: the source says that times are exact", traceOf(at(0, 0, 1000, 1000, 2000, 2000), 0), 0],
  ])("are found: %s", (_name, trace, tickMs) => {
    expect(trace.tickMs).toBe(tickMs);
  });

  it("are spread over, in order, evenly, and not into the next", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const trace = mooncakeLike(300);
        const { arrivalMs } = buildWorkload(trace, {}, seed);
        for (let row = 0; row < trace.count; row++) {
          const tick = trace.arrivalMs[row]!;
          expect(arrivalMs[row]!).toBeGreaterThanOrEqual(tick);
          expect(arrivalMs[row]!).toBeLessThan(tick + 3005);
          if (row > 0) expect(arrivalMs[row]!).toBeGreaterThanOrEqual(arrivalMs[row - 1]!);
        }
      }),
      { numRuns: 20 },
    );
    const trace = mooncakeLike(20_000);
    const { arrivalMs } = buildWorkload(trace, {}, 1);
    const offsets = Array.from(arrivalMs, (ms, row) => ms - trace.arrivalMs[row]!);
    expect(mean(offsets) / 1500).toBeCloseTo(1, 1);
    expect(standardDeviation(offsets) / (3000 / Math.sqrt(12))).toBeCloseTo(1, 1);
  });

  it("are spread the same way for the same seed", () => {
    const trace = mooncakeLike(100);
    expect(buildWorkload(trace, {}, 3)).toEqual(buildWorkload(trace, {}, 3));
    expect(buildWorkload(trace, {}, 3).arrivalMs).not.toEqual(buildWorkload(trace, {}, 4).arrivalMs);
  });

  it("are kept without jitter; either way a note says so", () => {
    const trace = mooncakeLike(100);
    const kept = buildWorkload(trace, { jitter: false });
    expect(kept.arrivalMs).toEqual(trace.arrivalMs);
    expect(kept.notes).toEqual(["Arrival times have ticks of 3 s and are used as they are."]);
    expect(buildWorkload(trace).notes).toEqual([
      "Arrival times have ticks of 3 s; requests are spread within them.",
    ]);
  });
});

describe("re-timing", () => {
  const trace = traceOf(at(...Array.from({ length: 20_000 }, (_, i) => i)));

  it.each<[string, ArrivalOptions, number]>([
    ["poisson", { arrival: "poisson" }, 1],
    ["gamma with cv 0.5", { arrival: "gamma", cv: 0.5 }, 0.5],
    ["gamma with cv 2", { arrival: "gamma", cv: 2 }, 2],
    ["constant", { arrival: "constant" }, 0],
  ])("%s has the rate and the spread asked for", (_name, options, cv) => {
    const gaps = gapsOf(buildWorkload(trace, { rate: 8, ...options }, 1).arrivalMs);
    expect(mean(gaps) / 125).toBeGreaterThan(0.96);
    expect(mean(gaps) / 125).toBeLessThan(1.04);
    expect(Math.abs(standardDeviation(gaps) / mean(gaps) - cv)).toBeLessThan(0.08);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
  });

  it("stretches the same gaps at another rate", () => {
    const slow = buildWorkload(trace, { rate: 2 }, 5).arrivalMs;
    const fast = buildWorkload(trace, { rate: 8 }, 5).arrivalMs;
    for (const row of [1, 10, 19_999]) expect(slow[row]! / fast[row]!).toBeCloseTo(4, 9);
  });

  it("replaces ticks", () => {
    const workload = buildWorkload(mooncakeLike(100), { rate: 10, arrival: "constant" });
    expect([...workload.arrivalMs.subarray(0, 3)]).toEqual([0, 100, 200]);
    expect(workload.notes).toEqual(["Arrivals are re-timed: constant, 10 requests/s on average."]);
  });
});

describe("sessions", () => {
  const rows: Partial<TraceRow>[] = [
    { arrivalMs: 0, session: 0 },
    { arrivalMs: 10, session: 1 },
    { arrivalMs: 50, session: 0 },
    { arrivalMs: 60 },
    { arrivalMs: 90, session: 0 },
  ];

  it("are sent at their own times where the trace tells no think times", () => {
    const workload = buildWorkload(traceOf(rows));
    expect([...workload.previous]).toEqual([-1, -1, -1, -1, -1]);
    expect([...workload.arrivalMs]).toEqual([0, 10, 50, 60, 90]);
  });

  it("are linked where the trace tells think times, each turn to the one before", () => {
    const withThink = rows.map((row, i) => (i === 2 || i === 4 ? { ...row, thinkMs: 7 * i } : row));
    const workload = buildWorkload(traceOf(withThink));
    expect([...workload.previous]).toEqual([-1, -1, 0, -1, 2]);
    expect([...workload.thinkMs]).toEqual([NaN, NaN, 14, NaN, 28]);
    expect([...workload.arrivalMs]).toEqual([0, 10, NaN, 60, NaN]);
    expect(
      buildWorkload(traceOf(withThink), { sessions: "independent" }).previous.every((row) => row < 0),
    ).toBe(true);
  });

  it("are linked on demand, with the time between turns for unknown think times", () => {
    const workload = buildWorkload(traceOf(rows), { sessions: "linked" });
    expect([...workload.thinkMs]).toEqual([NaN, NaN, 50, NaN, 40]);
    expect(workload.notes.join()).toContain("2 think times are unknown");
  });

  it("think for as long as asked", () => {
    expect([...buildWorkload(traceOf(rows), { thinkMs: 5 }).thinkMs]).toEqual([NaN, NaN, 5, NaN, 5]);
  });

  it("lose the turns that come after the first requests", () => {
    const workload = buildWorkload(traceOf(rows), { thinkMs: 5, requests: 3 });
    expect([...workload.previous]).toEqual([-1, -1, 0]);
  });

  it("begin in proportion to the rate of all requests", () => {
    const trace = generateWorkload("multi_turn_chat", { turns_mean: 4 }, { requests: 8000, seed: 2 });
    const workload = buildWorkload(trace, { rate: 10, arrival: "constant" });
    const starts = workload.arrivalMs.filter((ms) => !Number.isNaN(ms));
    expect(starts.length).toBeLessThan(3000);
    const meanGapMs = starts.at(-1)! / (starts.length - 1);
    expect(meanGapMs).toBeCloseTo((100 * workload.count) / starts.length, 6);
  });

  it("never have two turns after the same one", () => {
    const trace = generateWorkload("mixed", {}, { requests: 3000, seed: 2 });
    const previous = [...buildWorkload(trace).previous].filter((row) => row >= 0);
    expect(previous.length).toBeGreaterThan(100);
    expect(new Set(previous).size).toBe(previous.length);
  });
});

describe("a closed loop", () => {
  it("keeps a number of requests open", () => {
    const workload = buildWorkload(mooncakeLike(20), { concurrency: 4 });
    expect(workload.concurrency).toBe(4);
    expect(workload.notes.join()).toContain("4 requests at once");
  });
});

describe("arrival settings that make no sense", () => {
  const plain = traceOf(at(0, 1));
  it.each<[string, ArrivalOptions, RegExp]>([
    ["a rate of 0", { rate: 0 }, /^workload: rate: got 0, expected a number above 0$/],
    ["a speed-up of nothing", { speedup: NaN }, /^workload: speedup: got NaN/],
    ["a cv of 0", { rate: 1, arrival: "gamma", cv: 0 }, /^workload: cv: got 0/],
    [
      "half a request",
      { requests: 0.5 },
      /^workload: requests: got 0.5, expected a whole number of at least 1$/,
    ],
    ["negative concurrency", { concurrency: -1 }, /^workload: concurrency: got -1/],
    ["negative think time", { thinkMs: -1 }, /^workload: think_ms: got -1/],
    ["rate with speed-up", { rate: 2, speedup: 3 }, /rate 2 with speedup 3/],
    ["rate with concurrency", { rate: 2, concurrency: 3 }, /concurrency 3 with rate 2/],
    ["speed-up with concurrency", { speedup: 2, concurrency: 3 }, /concurrency 3 with speedup 2/],
    ["a spacing without a rate", { arrival: "constant" }, /arrival constant without a rate/],
    ["a cv without gamma arrivals", { rate: 2, cv: 3 }, /cv 3 with poisson arrivals/],
    [
      "think time without links",
      { thinkMs: 3, sessions: "independent" },
      /think_ms 3 with independent sessions/,
    ],
    ["links without sessions", { sessions: "linked" }, /test has no sessions/],
    ["think time without sessions", { thinkMs: 3 }, /test has no sessions/],
  ])("are refused: %s", (_name, options, message) => {
    expect(() => buildWorkload(plain, options)).toThrow(message);
  });
});

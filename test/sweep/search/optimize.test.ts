import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InterruptedError } from "../../../src/errors.js";
import type { Executor } from "../../../src/sweep/executor.js";
import type * as Threads from "../../../src/sweep/local-executor.js";
import { built } from "../../support/built.js";
import { inline, run, withFolder } from "../sweep-bench.js";
import { planOf, search } from "./search-bench.js";

const GRID = `sweep: { routing_threshold: [0, 500, 1000, 2000, 4000, 8000], policy: [random, least_loaded, cache_aware], seeds: 2 }`;

/** Runs tasks one by one and interrupts the search after `count` of them. */
function interruptAfter(count: number, interruption: AbortController): Executor {
  let left = count;
  return (tasks, context) =>
    inline(tasks, {
      ...context,
      onResult: (result) => {
        context.onResult(result);
        if (--left === 0) interruption.abort();
      },
    });
}

describe("successive halving", () => {
  it("finds the best point of a known grid for a part of its cost", () =>
    withFolder(async (directory) => {
      const grid = await run(planOf(GRID));
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, "sweep.json"), JSON.stringify(grid));
      const { result, sweep } = await search(planOf(GRID), { compare: directory });
      expect(result.grid).toMatchObject({ points: 18, rank: 1, regret: 0 });
      expect(result.budget).toMatchObject({ full_grid_requests: 18 * 2 * 300 });
      expect(result.budget.requests).toBeLessThan(0.5 * 18 * 2 * 300);
      expect(result.rungs.map(({ points, requests, seeds }) => [points, requests, seeds.length])).toEqual([
        [18, 100, 1],
        [6, 300, 1],
        [4, 300, 2],
      ]);
      // The finalists' runs are those of the grid.
      expect(sweep.points).toHaveLength(4);
      for (const { settings, runs } of sweep.points) {
        const same = grid.points.find((point) => JSON.stringify(point.settings) === JSON.stringify(settings));
        expect(runs.map(({ summary }) => summary!.ttft_ms)).toEqual(
          same!.runs.map(({ summary }) => summary!.ttft_ms),
        );
      }
    }));

  it("gives the same bytes on threads, and after an interruption, without a run twice", () =>
    withFolder(async (directory) => {
      const whole = JSON.stringify(await search(planOf(GRID), {}));
      const { localExecutor } = await built<typeof Threads>("sweep/local-executor.js");
      expect(JSON.stringify(await search(planOf(GRID), {}, { execute: localExecutor(2) }))).toBe(whole);
      const interruption = new AbortController();
      const execute = interruptAfter(22, interruption);
      const first = search(planOf(GRID), {}, { directory, execute, signal: interruption.signal });
      await expect(first).rejects.toThrow(InterruptedError);
      let runs = 0;
      const counting: Executor = (tasks, context) => {
        runs += tasks.length;
        return inline(tasks, context);
      };
      expect(JSON.stringify(await search(planOf(GRID), {}, { directory, execute: counting }))).toBe(whole);
      const { result } = JSON.parse(whole) as { result: { budget: { runs: number } } };
      expect(runs).toBe(result.budget.runs - 22);
    }));

  it("refuses a folder of another search and a grid of another sweep", () =>
    withFolder(async (directory) => {
      await search(planOf(GRID), {}, { directory });
      const other = search(planOf(GRID), { goal: "cheapest", attainment: 0.9 }, { directory });
      await expect(other).rejects.toThrow('holds another search: goal is "best" there and "cheapest" here');
      const grid = await run(planOf(GRID.replace("seeds: 2", "seeds: 1")));
      writeFileSync(join(directory, "sweep.json"), JSON.stringify(grid));
      await expect(search(planOf(GRID), { compare: directory })).rejects.toThrow("is a sweep of other seeds");
    }));

  it("tries points that come to the same run once", async () => {
    const { result } = await search(
      planOf("sweep: { policy: [random, cache_aware], balance_abs_threshold: [16, 64] }"),
      {},
    );
    expect(result.rungs[0]!.points).toBe(3);
    expect(result.budget).toMatchObject({ runs: 3, requests: 900, full_grid_requests: 900 });
  });

  it("recommends nothing where no point reaches the attainment", async () => {
    const { result } = await search(planOf(GRID, "rate: 500, "), { attainment: 1 });
    expect(Math.max(...result.points.map(({ attainment }) => attainment!))).toBeLessThan(1);
    expect(result.recommended).toBe(null);
  });
});

describe("the largest load", () => {
  const plan = (): ReturnType<typeof planOf> =>
    planOf("sweep: { policy: [random, cache_aware], routing_threshold: [0, 2000], seeds: 2 }");

  it("is sustained under every seed, and a load a little above is not", async () => {
    const { result, sweep } = await search(plan(), { goal: "max_rate", attainment: 0.8 });
    const { load, settings } = result.recommended!;
    expect(load!.exceeded! / load!.sustained!).toBeLessThanOrEqual(1.05);
    const attainmentsAt = async (speedup: number): Promise<number[]> => {
      const { policy, routing_threshold } = settings;
      const one = `sweep: { policy: [${policy}], routing_threshold: [${routing_threshold}], speedup: [${speedup}], seeds: 2 }`;
      const { points } = await run(planOf(one));
      return points[0]!.runs.map(({ summary }) => summary!.goodput.attainment);
    };
    expect(Math.min(...(await attainmentsAt(load!.sustained!)))).toBeGreaterThanOrEqual(0.8);
    expect(Math.min(...(await attainmentsAt(load!.exceeded!)))).toBeLessThan(0.8);
    for (const { settings: at, runs } of sweep.points) {
      for (const { summary } of runs) {
        if (summary !== null)
          expect(summary.settings).toMatchObject({ workload: { speedup: at["speedup"] } });
      }
    }
    // Every point is there; those that were left early are marked and sustain no more.
    expect(sweep.points).toHaveLength(4);
    for (const point of result.points)
      expect(point.load!.sustained ?? 0).toBeLessThanOrEqual(load!.sustained!);
    expect(result.points.some((point) => point.load!.beaten)).toBe(true);
  });

  it("is a rate where the scenario has one", async () => {
    const rated = planOf("", "rate: 30, ");
    const { result } = await search(rated, { goal: "max_rate", attainment: 0.8 });
    const { load } = result.recommended!;
    expect(load).toMatchObject({ knob: "rate" });
    expect(load!.requests_per_s).toBe(load!.sustained);
  });
});

describe("the cheapest fleet", () => {
  it("is the cheapest of the whole grid that will do", async () => {
    const space = "sweep: { prefill_workers: [1, 2, 3], decode_workers: [1, 2, 3] }";
    const grid = await run(planOf(space));
    const price = (settings: Readonly<Record<string, unknown>>): number =>
      Number(settings["prefill_workers"]) + Number(settings["decode_workers"]);
    const attainments = grid.points.map(({ runs }) => runs[0]!.summary!.goodput.attainment);
    // Between the smallest and the largest fleet, so that some will do and some will not.
    const attainment = (attainments[0]! + attainments.at(-1)!) / 2;
    const enough = grid.points.filter((_, i) => attainments[i]! >= attainment);
    const { result } = await search(planOf(space), { goal: "cheapest", attainment });
    expect(result.recommended!.gpus).toBe(Math.min(...enough.map(({ settings }) => price(settings))));
    expect(result.recommended!.gpus).toBe(price(result.recommended!.settings));
    expect(result.recommended!.attainment).toBeGreaterThanOrEqual(attainment);
  });
});

import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError, InterruptedError, WorkError } from "../../src/errors.js";
import { pointsCsv } from "../../src/sweep/points-csv.js";
import type { SweepProgress } from "../../src/sweep/run-sweep.js";
import { comparable, run, SMALL_SWEEP, smallPlan, withFolder } from "./sweep-bench.js";

const whole = await run(smallPlan());

function logLines(directory: string): string[] {
  return readFileSync(join(directory, "points.jsonl"), "utf8").trimEnd().split("\n");
}

/** Keeps the header and `runs` runs of a finished log, as an interruption would have. */
function cutLog(directory: string, runs: number): void {
  const lines = logLines(directory);
  writeFileSync(join(directory, "points.jsonl"), `${lines.slice(0, 1 + runs).join("\n")}\n`);
}

describe("a sweep", () => {
  it("has every point in grid order under every seed", () => {
    expect(whole.points.map(({ index, settings }) => [index, settings])).toEqual([
      [0, { routing_threshold: 0, policy: "random" }],
      [1, { routing_threshold: 0, policy: "cache_aware" }],
      [2, { routing_threshold: 1000, policy: "random" }],
      [3, { routing_threshold: 1000, policy: "cache_aware" }],
    ]);
    for (const { runs } of whole.points) {
      expect(runs.map(({ seed, error }) => [seed, error])).toEqual([
        [1, null],
        [2, null],
      ]);
      expect(runs.every(({ summary }) => summary!.requests.completed === 60)).toBe(true);
    }
  });

  it("reports its progress", async () => {
    const seen: SweepProgress[] = [];
    await run(smallPlan(), { onProgress: (progress) => seen.push(progress) });
    expect(seen[0]).toEqual({ done: 0, failed: 0, total: 8, earlier: 0 });
    expect(seen.at(-1)).toEqual({ done: 8, failed: 0, total: 8, earlier: 0 });
  });

  it("runs cells of equal settings once", async () => {
    const text = SMALL_SWEEP.replace("policy: [random, cache_aware]", "decider: [never, always]");
    const seen: number[] = [];
    const sweep = await run(smallPlan(text), { onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([0, 2, 4, 6, 8]);
    const [never0, , never1000] = sweep.points;
    expect(never0!.runs).toEqual(never1000!.runs);
  });
});

describe("a sweep with a directory", () => {
  it("goes on from what an interruption left, to the same result", () =>
    withFolder(async (directory) => {
      await run(smallPlan(), { directory });
      cutLog(directory, 3);
      const seen: SweepProgress[] = [];
      const resumed = await run(smallPlan(), { directory, onProgress: (progress) => seen.push(progress) });
      expect(seen[0]).toMatchObject({ done: 3, earlier: 3 });
      expect(comparable(resumed)).toBe(comparable(whole));
      expect(logLines(directory)).toHaveLength(1 + 8);
    }));

  it("drops a line that a crash cut short", () =>
    withFolder(async (directory) => {
      await run(smallPlan(), { directory });
      cutLog(directory, 2);
      appendFileSync(join(directory, "points.jsonl"), '{"point":2,"seed":1,"summ');
      expect(comparable(await run(smallPlan(), { directory }))).toBe(comparable(whole));
      expect(logLines(directory).every((line) => line.endsWith("}"))).toBe(true);
    }));

  it("keeps what is finished when it is interrupted, and says how to go on", () =>
    withFolder(async (directory) => {
      const interruption = new AbortController();
      const interrupted = run(smallPlan(), {
        directory,
        signal: interruption.signal,
        onProgress: ({ done }) => {
          if (done === 2) interruption.abort();
        },
      });
      await expect(interrupted).rejects.toThrow(InterruptedError);
      await expect(interrupted).rejects.toThrow(/interrupted: 2 of 8 runs are done; they are in .*goes on/);
      expect(logLines(directory)).toHaveLength(1 + 2);
      expect(comparable(await run(smallPlan(), { directory }))).toBe(comparable(whole));
    }));

  it.each([
    [SMALL_SWEEP.replace("seeds: 2", "seeds: 3"), "seeds is [1,2] there and [1,2,3] here"],
    [
      SMALL_SWEEP.replace("[0, 1000]", "[0, 500]"),
      "axis routing_threshold is [0,1000] there and [0,500] here",
    ],
    [SMALL_SWEEP.replace("requests: 60", "requests: 70"), "workload.requests is 60 there and 70 here"],
    [SMALL_SWEEP.replace("workers: 2", "workers: 3"), "fleet.decode.workers is 2 there and 3 here"],
  ])("refuses results of other settings and names what differs", (other, difference) =>
    withFolder(async (directory) => {
      await run(smallPlan(), { directory });
      await expect(run(smallPlan(other), { directory })).rejects.toThrow(
        `--out ${directory}: holds another sweep: ${difference}`,
      );
    }),
  );

  it("refuses a trace of other content", () =>
    withFolder(async (directory) => {
      mkdirSync(join(directory, ".."), { recursive: true });
      const trace = join(directory, "..", "t.jsonl");
      const line = '{"arrival_s":0,"input_tokens":100,"output_tokens":5}\n';
      const text = `workload: { trace: ${trace} }`;
      writeFileSync(trace, line);
      await run(smallPlan(text), { directory });
      writeFileSync(trace, line.repeat(2));
      await expect(run(smallPlan(text), { directory })).rejects.toThrow(
        "the content of the workload differs",
      );
    }));

  it("refuses a folder with other things in it", () =>
    withFolder(async (directory) => {
      mkdirSync(directory);
      writeFileSync(join(directory, "thesis.tex"), "");
      await expect(run(smallPlan(), { directory })).rejects.toThrow("is not empty and holds no sweep");
    }));

  it("writes every run's own directory on request", () =>
    withFolder(async (directory) => {
      await run(smallPlan(), { directory, keepRuns: true });
      const runs = readdirSync(join(directory, "runs"));
      expect(runs).toHaveLength(8);
      expect(readdirSync(join(directory, "runs", runs[0]!)).sort()).toEqual([
        "requests.csv",
        "scenario.yaml",
        "summary.json",
        "timeline.csv",
      ]);
    }));
});

describe("a run that fails", () => {
  const someFail = SMALL_SWEEP.replace("policy: [random, cache_aware]", "engine.num_gpu_blocks: [4, 9000]");

  it("is part of the result and does not lose the others", async () => {
    const sweep = await run(smallPlan(someFail));
    const errors = sweep.points.map(({ runs }) => runs.map(({ error }) => error !== null));
    expect(errors).toEqual([
      [true, true],
      [false, false],
      [true, true],
      [false, false],
    ]);
    expect(sweep.points[0]!.runs[0]!.error).toContain("fits no prefill worker");
  });

  it("is tried again by the next call", () =>
    withFolder(async (directory) => {
      await run(smallPlan(someFail), { directory });
      const seen: SweepProgress[] = [];
      await run(smallPlan(someFail), { directory, onProgress: (progress) => seen.push(progress) });
      expect(seen[0]).toMatchObject({ earlier: 4 });
    }));

  it("leaves nothing behind when none is possible", () =>
    withFolder(async (directory) => {
      const noneFits = smallPlan(
        SMALL_SWEEP.replace("policy: [random, cache_aware]", "engine.num_gpu_blocks: [4]"),
      );
      await expect(run(noneFits, { directory })).rejects.toThrow(InputError);
      expect(existsSync(directory)).toBe(false);
    }));

  it("is a failure of the work where the user could not have known", () =>
    withFolder(async (directory) => {
      // A folder that cannot be made: a file is in its place.
      mkdirSync(directory);
      writeFileSync(join(directory, "points.jsonl"), "");
      writeFileSync(join(directory, "runs"), "");
      await expect(run(smallPlan(), { directory, keepRuns: true })).rejects.toThrow(WorkError);
    }));
});

describe("points.csv", () => {
  it("has a row per point and seed with settings, figures and every setting in force", () => {
    const [header, ...rows] = pointsCsv(whole).trimEnd().split("\n");
    const columns = header!.split(",");
    expect(columns.slice(0, 5)).toEqual(["point", "seed", "routing_threshold", "policy", "error"]);
    expect(columns).toEqual(
      expect.arrayContaining([
        "ttft_ms_p90",
        "goodput_attainment",
        "cache_hit_rate",
        "settings.engine.block_size",
      ]),
    );
    expect(rows).toHaveLength(8);
    expect(rows[3]!.split(",").slice(0, 5)).toEqual(["1", "2", "0", "cache_aware", ""]);
  });
});

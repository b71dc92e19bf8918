import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runShard } from "../../src/sweep/run-sweep.js";
import { mergeShards, parseShard, shardOf, SHARD_FILE } from "../../src/sweep/shards.js";
import { comparable, inline, run, SMALL_SWEEP, smallPlan, withFolder } from "./sweep-bench.js";

async function writeShard(
  directory: string,
  index: number,
  count: number,
  text = SMALL_SWEEP,
): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const shard = await runShard(
    smallPlan(text),
    { index, count },
    {
      directory,
      keepRuns: false,
      execute: inline,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    },
  );
  writeFileSync(join(directory, SHARD_FILE), JSON.stringify(shard));
  return directory;
}

describe("--shard", () => {
  it("is I/N", () => {
    expect(parseShard("2/4")).toEqual({ index: 2, count: 4 });
  });
  it.each(["0/4", "5/4", "1", "1/", "a/b", "1/4/2", "-1/2"])("is not %s", (text) => {
    expect(() => parseShard(text)).toThrow(`--shard: got ${text}, expected I/N`);
  });
});

describe("the shard of a point", () => {
  it.each([1, 2, 3, 5, 8])("is each of %i in turn, along every axis", (count) => {
    const of = (points: readonly number[]): number[] => points.map((point) => shardOf(point, count)).sort();
    const all = Array.from({ length: count }, (_, i) => i + 1);
    for (let row = 0; row < 4; row++) expect(of(all.map((i) => row * count + i - 1))).toEqual(all);
    // A column of a grid whose last axis has `count` values.
    for (let column = 0; column < count; column++)
      expect(of(all.map((i) => column + i * count))).toEqual(all);
  });
});

describe("merged shards", () => {
  it.each([2, 3, 7])("of %i machines are what one would have found", (count) =>
    withFolder(async (folder) => {
      // Some runs fail: their errors travel, too.
      const text = SMALL_SWEEP.replace("policy: [random, cache_aware]", "engine.num_gpu_blocks: [4, 9000]");
      const directories: string[] = [];
      for (let index = count; index >= 1; index--) {
        directories.push(await writeShard(join(folder, `${index}`), index, count, text));
      }
      expect(comparable(await mergeShards(directories))).toBe(comparable(await run(smallPlan(text))));
    }),
  );

  it("must be all there, once each, finished, and of one sweep", () =>
    withFolder(async (folder) => {
      const first = await writeShard(join(folder, "1"), 1, 3);
      const second = await writeShard(join(folder, "2"), 2, 3);
      const third = await writeShard(
        join(folder, "3"),
        3,
        3,
        SMALL_SWEEP.replace("requests: 60", "requests: 61"),
      );
      const ofTwo = await writeShard(join(folder, "of-two"), 1, 2);
      mkdirSync(join(folder, "half"));
      writeFileSync(join(folder, "half", "points.jsonl"), "");
      const refusals: [string[], string][] = [
        [[first, second], "shards are missing: 3/3; expected the directories of all 3"],
        [[first, first], `${first}: is shard 1/3, and so is ${first}`],
        [[first, ofTwo], `${ofTwo}: is shard 1/2, expected one of 3`],
        [
          [first, third],
          `${third}: is not of the sweep in ${first}: workload.requests is 60 there and 61 here`,
        ],
        [[first, join(folder, "half")], "its shard is not finished"],
        [[join(folder, "none")], "no such directory"],
      ];
      for (const [directories, message] of refusals) {
        await expect(mergeShards(directories)).rejects.toThrow(message);
      }
    }));
});

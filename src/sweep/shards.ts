import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError, WorkError } from "../errors.js";
import { differences, type SweepFingerprint } from "./fingerprint.js";
import { sweepResult, type SweepPoint, type SweepResult } from "./sweep-result.js";

/** Part `index` (from 1) of `count`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** `shard.json`: what one of several machines found of a sweep. It is written when the whole share is done. */
export interface SweepShard {
  readonly schema: "pdbench/sweep-shard@1";
  readonly shard: Shard;
  readonly fingerprint: SweepFingerprint;
  /** Its share of the points, in grid order. */
  readonly points: readonly SweepPoint[];
}

export const SHARD_FILE = "shard.json";

/**
 * The shard (from 1) that runs a point. Of any `count` neighbours each shard has one, and not the same one every time:
 * where the last axis has `count` values, no shard has all points of one of them.
 */
export function shardOf(point: number, count: number): number {
  return 1 + ((point + Math.floor(point / count)) % count);
}

/** Reads `I/N`. @throws InputError naming the flag */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index >= 1 && shard.index <= shard.count && Number.isSafeInteger(shard.count)) return shard;
  throw new InputError(`--shard: got ${text}, expected I/N with I from 1 to N, such as 1/4`);
}

/**
 * Puts the shards of a sweep together: the result is the one that a single machine would have found.
 *
 * @throws InputError when a directory holds no finished shard, shards are not of one sweep, or some are missing
 * @throws WorkError when every run of every shard failed
 */
export async function mergeShards(directories: readonly string[]): Promise<SweepResult> {
  const found: { readonly directory: string; readonly shard: SweepShard }[] = [];
  for (const directory of directories) found.push({ directory, shard: await readShard(directory) });
  const [first, ...others] = found;
  if (first === undefined) throw new InputError("expected the directories of a sweep's shards");
  for (const { directory, shard } of others) {
    const [difference] = differences(first.shard.fingerprint, shard.fingerprint);
    if (difference === undefined) continue;
    throw new InputError(
      `${directory}: is not of the sweep in ${first.directory}: ${difference} (there: ${first.directory}, ` +
        `here: ${directory})`,
    );
  }
  const { count } = first.shard.shard;
  checkComplete(found, count);
  const points = found.flatMap(({ shard }) => shard.points).sort((a, b) => a.index - b.index);
  const runs = points.flatMap((point) => point.runs);
  if (runs.every(({ error, stopped }) => error !== null && stopped !== true)) {
    throw new WorkError(`every run failed: ${runs[0]!.error!}`);
  }
  return sweepResult(first.shard.fingerprint, points);
}

function checkComplete(
  found: readonly { readonly directory: string; readonly shard: SweepShard }[],
  count: number,
): void {
  const holders = new Map<number, string>();
  for (const {
    directory,
    shard: { shard },
  } of found) {
    if (shard.count !== count) {
      throw new InputError(
        `${directory}: is shard ${shard.index}/${shard.count}, expected one of ${count} like the first`,
      );
    }
    const twin = holders.get(shard.index);
    if (twin !== undefined) {
      throw new InputError(
        `${directory}: is shard ${shard.index}/${count}, and so is ${twin}; give one of them`,
      );
    }
    holders.set(shard.index, directory);
  }
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((index) => !holders.has(index));
  if (missing.length === 0) return;
  const shown = missing.slice(0, 5).map((index) => `${index}/${count}`);
  const more = missing.length > 5 ? ` and ${missing.length - 5} more` : "";
  throw new InputError(
    `shards are missing: ${shown.join(", ")}${more}; expected the directories of all ${count}`,
  );
}

async function readShard(directory: string): Promise<SweepShard> {
  const path = join(directory, SHARD_FILE);
  if (!existsSync(path)) {
    const problem = existsSync(join(directory, "points.jsonl"))
      ? "its shard is not finished: the command that made it goes on where it was"
      : existsSync(directory)
        ? `has no ${SHARD_FILE}`
        : "no such directory";
    throw new InputError(
      `${directory}: ${problem}; expected what \`pdbench sweep --shard I/N --out DIR\` wrote`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new InputError(`${path}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { schema } = value as { readonly schema?: unknown };
  if (schema === "pdbench/sweep-shard@1") return value as SweepShard;
  throw new InputError(`${path}: schema ${JSON.stringify(schema)}: expected "pdbench/sweep-shard@1"`);
}

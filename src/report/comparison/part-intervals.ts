import { BLOCKS, BLOCKS_AT_LEAST, intervalAround } from "../../measure/batch-means.js";
import type { Interval } from "../../measure/intervals.js";
import { formatCount } from "../format.js";
import type { RequestRow, WorkerSample } from "../run-files-reader.js";
import type { ComparedRun } from "./compared-runs.js";
import type { NoInterval, RequestPairs } from "./request-pairs.js";

/** Requests that a part of a run needs. */
const REQUESTS_PER_PART = 10;
/** Samples of a worker that a part of a run needs. */
const SAMPLES_PER_PART = 5;

/**
 * Interval of the change in output tokens a second. Single requests have no throughput: each run is cut into equal parts of its
 * own time, the first part of one is held against the first of the other, and so on. The tokens of a request are spread evenly
 * from its first to its last, so that the mean over the parts is the throughput of the run.
 */
export function throughputInterval(
  pairs: RequestPairs,
  base: ComparedRun,
  other: ComparedRun,
): Interval | NoInterval {
  const count = pairs.base.length;
  if (base.requests!.length !== count || other.requests!.length !== count) {
    return { why: "not every request ran in both" };
  }
  const parts = Math.min(BLOCKS, Math.floor(count / REQUESTS_PER_PART));
  if (parts < BLOCKS_AT_LEAST) {
    return { why: `only ${formatCount(count)} requests, it takes ${REQUESTS_PER_PART * BLOCKS_AT_LEAST}` };
  }
  const [ofBase, ofOther] = [base, other].map((run) =>
    tokenRates(run.requests!, run.summary.duration_s, parts),
  );
  return intervalAround(
    other.summary.throughput.output_tokens_per_s - base.summary.throughput.output_tokens_per_s,
    ofOther!.map((rate, part) => rate - ofBase![part]!),
  );
}

/** Output tokens a second of completed requests in each of so many equal parts of a run. */
function tokenRates(rows: readonly RequestRow[], durationS: number, parts: number): readonly number[] {
  const startS = rows.reduce((first, { arrivalS }) => Math.min(first, arrivalS), Number.POSITIVE_INFINITY);
  const lengthS = durationS / parts;
  const tokens = new Float64Array(parts);
  for (const { arrivalS, ttftMs, e2eMs, outputTokens, status } of rows) {
    if (status !== "completed") continue;
    const [from, to] = [ttftMs, e2eMs].map((ms) => (arrivalS - startS + ms / 1000) / lengthS);
    const first = Math.min(parts - 1, Math.floor(from!));
    const last = Math.min(parts - 1, Math.floor(to!));
    if (first === last) tokens[first]! += outputTokens;
    for (let part = first; first < last && part <= last; part++) {
      const overlap = Math.min(to!, part === parts - 1 ? to! : part + 1) - Math.max(from!, part);
      tokens[part]! += (outputTokens * overlap) / (to! - from!);
    }
  }
  return [...tokens].map((sum) => sum / lengthS);
}

/**
 * Interval of the change in how unevenly the workers of a leg are busy (busiest over mean). The difference is that of the
 * summaries; its spread is that over equal parts of the runs, where a worker counts as busy in a sample of its timeline with
 * requests running. Parts are shorter than runs and so more uneven, which makes the interval wider, not narrower.
 */
export function imbalanceInterval(
  leg: "prefill" | "decode",
  base: ComparedRun,
  other: ComparedRun,
): Interval | NoInterval {
  const without = [base, other].find(({ timeline }) => timeline === null);
  if (without !== undefined) return { why: `${without.name} has no timeline.csv` };
  const [ofBase, ofOther] = [base, other].map((run) => busyByPart(run, leg));
  if (ofBase === null || ofOther === null) {
    return { why: `a timeline has fewer than ${SAMPLES_PER_PART * BLOCKS_AT_LEAST} samples of each worker` };
  }
  const parts = Math.min(ofBase!.length, ofOther!.length);
  const differences = Array.from({ length: parts }, (_, part) => ofOther![part]! - ofBase![part]!).filter(
    (difference) => !Number.isNaN(difference),
  );
  if (differences.length < BLOCKS_AT_LEAST) return { why: "the workers were idle most of the time" };
  const figure = (run: ComparedRun) => run.summary.balance[leg].busy.max_over_mean!;
  return intervalAround(figure(other) - figure(base), differences);
}

/** Busiest over mean in each of 20 equal parts of a run, NaN where no worker was busy; null where there are too few samples. */
function busyByPart({ timeline, summary }: ComparedRun, leg: string): readonly number[] | null {
  const workers = summary.workers.filter(({ role }) => role === leg).map(({ id }) => id);
  const samples = new Map(workers.map((id): [string, WorkerSample[]] => [id, []]));
  for (const sample of timeline!) samples.get(sample.worker)?.push(sample);
  const count = Math.min(...[...samples.values()].map(({ length }) => length));
  const parts = Math.min(BLOCKS, Math.floor(count / SAMPLES_PER_PART));
  if (parts < BLOCKS_AT_LEAST) return null;
  return Array.from({ length: parts }, (_, part) => {
    const [from, to] = [part, part + 1].map((edge) => Math.floor((edge * count) / parts));
    const busy = [...samples.values()].map(
      (own) => own.slice(from, to).filter(({ running }) => running > 0).length,
    );
    return (Math.max(...busy) * busy.length) / busy.reduce((sum, one) => sum + one, 0);
  });
}

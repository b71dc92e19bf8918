import { formatCount } from "../format.js";
import type { RequestRow } from "../run-files-reader.js";

/** Requests of a run that its page holds; all would make the file of a long run too large to open at once. */
export interface RequestSample {
  /** In order of their numbers. */
  readonly rows: readonly RequestRow[];
  /** What was left out, in words; empty where nothing was. */
  readonly words: string;
}

/** The most that a page holds. */
export const REQUESTS_AT_MOST = 2000;

/**
 * The requests worth looking at: those that did not complete, those with the latest first token and the latest end (a
 * quarter each at most), and of the others one in so many, evenly over the run.
 */
export function sampleRequests(all: readonly RequestRow[], most = REQUESTS_AT_MOST): RequestSample {
  if (all.length <= most) return { rows: all, words: "" };
  const quarter = Math.floor(most / 4);
  const slowest = (key: "ttftMs" | "e2eMs") =>
    all.filter((row) => !Number.isNaN(row[key])).sort((a, b) => b[key] - a[key]);
  const kept = new Set([
    ...all.filter(({ status }) => status !== "completed").slice(0, quarter),
    ...slowest("ttftMs").slice(0, quarter),
    ...slowest("e2eMs").slice(0, quarter),
  ]);
  const every = Math.ceil(all.length / (most - kept.size));
  for (let i = 0; i < all.length; i += every) kept.add(all[i]!);
  const rows = all.filter((row) => kept.has(row));
  return {
    rows,
    words:
      `A sample of ${formatCount(rows.length)} of the ${formatCount(all.length)} requests: those that did not complete, the ` +
      `${formatCount(quarter)} latest first tokens, the ${formatCount(quarter)} latest ends (at most ${formatCount(quarter)} of each), ` +
      `and one in ${formatCount(every)} of all. Every request is in requests.csv, and the charts and figures of this page ` +
      "are of all of them.",
  };
}

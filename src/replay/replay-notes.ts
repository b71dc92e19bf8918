import type { Distribution } from "../measure/summary.js";
import type { TokenCounts } from "./live-records.js";
import { blockSpanOf, type Workload } from "../workload/workload.js";

/** What the notes of a replay are made of; times are ms of the workload. */
export interface NotedReplay {
  readonly workload: Workload;
  /** Wall ms of one of the workload. */
  readonly timeScale: number;
  readonly scheduleLagMs: Distribution;
  readonly tokenCounts: TokenCounts;
  readonly failures: readonly (readonly [reason: string, count: number])[];
  readonly sent: number;
  readonly meanDecisionUs: number | null;
  readonly wasInterrupted: boolean;
}

/** What a reader of a live run should know, besides the notes of its workload: one sentence or two each. */
export function replayNotes(replay: NotedReplay): string[] {
  const { workload, timeScale, scheduleLagMs: lag, failures, sent } = replay;
  const shown = (ms: number | null) => (ms ?? 0).toFixed(2);
  const notes = [
    `Live: latencies count from when a request was due; it was sent ${shown(lag.p50)} ms later in the median, ` +
      `${shown(lag.p99)} ms at p99, ${shown(lag.max)} ms at most.`,
    "Time in queues, KV transfers and preemptions are known to the engines only.",
  ];
  notes.push(...tokenNotes(replay.tokenCounts));
  if (replay.meanDecisionUs === null) {
    notes.push(
      "The server does not say how it routed, as pdbench's proxy does: paths and workers are unknown.",
    );
  }
  if (hasAnswersInPrompts(workload)) {
    notes.push(
      "Prompts have made-up tokens where the workload repeats answers of earlier turns: those are computed, where a " +
        "simulation finds them in the cache.",
    );
  }
  if ((lag.p99 ?? 0) > 1) {
    notes.push("The client fell behind its schedule by more than 1 ms at p99: give it a core of its own.");
  }
  if (timeScale !== 1) {
    notes.push(`Times are those of engines that run in scaled time: ${timeScale} wall ms to one of theirs.`);
  }
  if (failures.length > 0) {
    notes.push(`Failures: ${failures.map(([reason, count]) => `${count} x ${reason}`).join(", ")}.`);
  }
  if (replay.wasInterrupted) notes.push(`Interrupted: ${sent} of ${workload.count} requests were sent.`);
  return notes;
}

/** What the gaps between tokens are gaps of. */
function tokenNotes({ answers, byId, unequal }: TokenCounts): string[] {
  if (answers === 0) return [];
  if (byId === answers) return ["Tokens were counted by the ids that come with each event of a stream."];
  const byEvent = "An event of a stream counts as one token, since the server does not give the ids";
  if (unequal === 0) return [`${byEvent}; the numbers are those that its usage tells.`];
  return [
    `${byEvent}: in ${unequal} of ${answers} answers there are more tokens than events, or fewer, so that gaps ` +
      "are those between events.",
  ];
}

/** True when the content of a row goes on beyond its prompt, so that a later prompt can begin with its answer. */
function hasAnswersInPrompts(workload: Workload): boolean {
  const { blockTokens } = workload.blocks;
  return workload.inputTokens.some((tokens, row) => {
    const { table, start, end } = blockSpanOf(workload, row);
    let blocks = 0;
    for (let run = start; run < end; run++) blocks += table.runCount[run]!;
    return blocks > Math.ceil(tokens / blockTokens);
  });
}

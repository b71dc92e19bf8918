import { distributionOf } from "../measure/distribution.js";
import type { MeasuredRequests, MeasuredRun } from "./measured-run.js";
import type { SimulatedRun } from "./simulate-run.js";

/** One figure of a run beside its prediction; null where the run does not have it. */
export interface Comparison {
  readonly measured: number | null;
  readonly predicted: number | null;
  /** (predicted - measured) / measured, percent. */
  readonly error_pct: number | null;
}

/** The figures of one latency that are compared. */
export const COMPARED = ["mean", "p50", "p90", "p99"] as const;

export type ComparedDistribution = Readonly<Record<(typeof COMPARED)[number], Comparison>>;

/** A measured run and what was predicted of it. Snake case: `pdbench validate --json` prints it as it is. */
export interface RunComparison {
  readonly profile: string;
  readonly requests: number;
  readonly ttft_ms: ComparedDistribution;
  readonly tpot_ms: ComparedDistribution;
  readonly e2e_ms: ComparedDistribution;
  readonly throughput: {
    readonly requests_per_s: Comparison;
    readonly output_tokens_per_s: Comparison;
  };
  readonly running: Comparison;
  readonly waiting: Comparison;
  readonly preemptions: Comparison;
  readonly kv_blocks: number;
  /** What was assumed, one sentence each. */
  readonly notes: readonly string[];
  /** Time the simulation took. */
  readonly wall_s: number;
}

/** What else a comparison says. */
export interface ComparisonContext {
  readonly profile: string;
  readonly kvBlocks: number;
  readonly notes: readonly string[];
  readonly wallS: number;
}

/** Sets a run against its simulation. Percentiles are exact, by linear interpolation (type 7). */
export function compareRuns(
  run: MeasuredRun,
  simulated: SimulatedRun,
  context: ComparisonContext,
): RunComparison {
  const measured = run.requests;
  const predicted = simulated.requests;
  return {
    profile: context.profile,
    requests: measured.count,
    ttft_ms: compareDistributions(measured.ttftMs, predicted.ttftMs),
    tpot_ms: compareDistributions(measured.tpotMs, predicted.tpotMs),
    e2e_ms: compareDistributions(measured.e2eMs, predicted.e2eMs),
    throughput: {
      requests_per_s: compare(requestRate(measured), requestRate(predicted)),
      output_tokens_per_s: compare(tokenRate(measured), tokenRate(predicted)),
    },
    running: compare(meanOver(run, "running"), meanOver(simulated, "running")),
    waiting: compare(meanOver(run, "waiting"), meanOver(simulated, "waiting")),
    // No format that we read tells how often vLLM preempted.
    preemptions: compare(null, simulated.preemptions),
    kv_blocks: context.kvBlocks,
    notes: context.notes,
    wall_s: context.wallS,
  };
}

function compareDistributions(measured: Float64Array, predicted: Float64Array): ComparedDistribution {
  const [before, after] = [distributionOf(measured), distributionOf(predicted)];
  return Object.fromEntries(
    COMPARED.map((figure) => [figure, compare(before[figure], after[figure])]),
  ) as unknown as ComparedDistribution;
}

function compare(measured: number | null, predicted: number | null): Comparison {
  const comparable = measured !== null && predicted !== null && measured !== 0;
  return {
    measured,
    predicted,
    error_pct: comparable ? (100 * (predicted - measured)) / measured : null,
  };
}

/** First arrival to last token, s; null where the run does not tell. */
function durationS({ firstTokenMs, lastTokenMs, ttftMs }: MeasuredRequests): number | null {
  let startMs = Infinity;
  let endMs = -Infinity;
  for (let i = 0; i < firstTokenMs.length; i++) {
    startMs = Math.min(startMs, firstTokenMs[i]! - ttftMs[i]!);
    endMs = Math.max(endMs, lastTokenMs[i]!);
  }
  return endMs > startMs ? (endMs - startMs) / 1e3 : null;
}

function requestRate(requests: MeasuredRequests): number | null {
  const seconds = durationS(requests);
  return seconds === null ? null : requests.count / seconds;
}

function tokenRate(requests: MeasuredRequests): number | null {
  const seconds = durationS(requests);
  return seconds === null ? null : requests.outputTokens.reduce((sum, tokens) => sum + tokens, 0) / seconds;
}

function meanOver(run: Pick<MeasuredRun, "timeline">, field: "running" | "waiting"): number | null {
  const { timeline } = run;
  if (timeline.length === 0) return null;
  return timeline.reduce((sum, sample) => sum + sample[field], 0) / timeline.length;
}

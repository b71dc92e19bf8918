import type { EngineProfile } from "../engine/profile.js";
import { buildStepTime } from "../engine/step-time.js";
import type { EngineConfig } from "../engine/types.js";
import { DEFAULT_CONTEXT_SKEW } from "./fit-grid.js";
import type { FittedPoint } from "./fitted-point.js";
import { LINEAR_COEFFICIENTS, linearStepTime, linearTerms } from "./linear-terms.js";
import type { MeasuredRequests } from "./measured-run.js";
import { fitRelative, predict } from "./robust-fit.js";
import type { Observation } from "./robust-fit.js";
import { simulateRun } from "./simulate-run.js";
import type { RunWorkload, SimulatedRun } from "./simulate-run.js";
import { StepLog } from "./step-log.js";

/** A measured run as the fit sees it. */
export interface RunToFit {
  readonly workload: RunWorkload;
  readonly measured: MeasuredRequests;
  readonly config: EngineConfig;
  readonly startsAt: "queue" | "client";
  /** What is believed of the coefficients where the run does not tell; see `rooflineBeliefs`. */
  readonly beliefs: readonly Observation[];
  /** Later times of the run were measured in company that is not part of the workload. */
  readonly untilMs: number;
}

/** Linear step times that make the engine model repeat a run. */
export interface RunFit {
  readonly step_time: EngineProfile["step_time"];
  /** From the client to the engine and back, ms; 0 where the run was measured inside the engine. */
  readonly requestOverheadMs: number;
  readonly points: readonly FittedPoint[];
  readonly warnings: readonly string[];
}

const ROUNDS = 16;
/** A coefficient whose absence costs less than this share of the squared error is not told by the data. */
const TELLING_SHARE = 0.02;
/** More than any run can tell. */
const SIGNIFICANT_DIGITS = 5;
const OVERHEAD = LINEAR_COEFFICIENTS.length;
/** Coefficients of the fit: those of the step times, and the time to the engine and back. */
export const RUN_COEFFICIENTS = LINEAR_COEFFICIENTS.length + 1;

interface RequestObservation extends Observation {
  readonly kind: "decode" | "prefill";
  readonly row: number;
}

/**
 * Fits linear step times to the times of whole requests. Which steps a request shared with which others is not
 * measured, so the engine model is asked: it runs the workload with the coefficients so far, and the work that
 * it does between a request's first and last token (and between its start and its first token) is regressed on
 * the time that the real engine took. That is repeated until the model repeats the run; the round that came
 * closest counts.
 */
export function fitRun(run: RunToFit): RunFit {
  let coefficients = firstGuess(run.measured);
  let best = { coefficients, observations: [] as RequestObservation[], error: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    const { simulated, log } = simulateWith(coefficients, run);
    const observations = observe(run, simulated, log);
    const error = disagreement(run, simulated);
    if (error < best.error) best = { coefficients, observations, error };
    const fitted = fitRelative([...observations, ...run.beliefs]);
    coefficients = round === 0 ? fitted : fitted.map((value, j) => (value + coefficients[j]!) / 2);
  }
  const rounded = best.coefficients.map((value) => Number(value.toPrecision(SIGNIFICANT_DIGITS)));
  return {
    step_time: linearStepTime(rounded),
    requestOverheadMs: rounded[OVERHEAD]!,
    points: best.observations.map((observation) => pointOf(observation, best.coefficients, run.measured)),
    warnings: untold(best.observations, run.startsAt),
  };
}

/** Step times from the fastest requests alone, as if nothing else had been running. */
function firstGuess({ tpotMs, ttftMs, inputTokens }: MeasuredRequests): readonly number[] {
  const guess = new Array<number>(RUN_COEFFICIENTS).fill(0);
  guess[0] = tpotMs.reduce((least, ms) => (ms < least ? ms : least), Infinity);
  if (guess[0] === Infinity) guess[0] = 1;
  guess[4] = ttftMs.reduce((least, ms, i) => Math.min(least, ms / inputTokens[i]!), Infinity);
  return guess;
}

function simulateWith(
  coefficients: readonly number[],
  { workload, config, startsAt }: RunToFit,
): { simulated: SimulatedRun; log: StepLog } {
  const stepTime = buildStepTime({
    ...linearStepTime(coefficients),
    skew: DEFAULT_CONTEXT_SKEW,
    allReduce: null,
    hostMs: 0,
  });
  const log = new StepLog(stepTime, LINEAR_COEFFICIENTS.length, linearTerms);
  const overheads = {
    http_ms: coefficients[OVERHEAD]!,
    schedule_ms: 0,
    first_token_ms: 0,
    step_host_ms: 0,
  };
  const onTime = (nowMs: number): void => void (log.nowMs = nowMs);
  const engine = { config, stepTime: log, overheads, time: "plain", onTime } as const;
  return { simulated: simulateRun(workload, engine, startsAt), log };
}

function observe(run: RunToFit, simulated: SimulatedRun, log: StepLog): RequestObservation[] {
  const { measured, startsAt, untilMs } = run;
  const { requests } = simulated;
  const observations: RequestObservation[] = [];
  const add = (
    kind: "decode" | "prefill",
    row: number,
    target: number,
    fromMs: number,
    toMs: number,
    overhead: number,
  ): void => {
    if (!(target > 0 && toMs > fromMs)) return;
    observations.push({ kind, row, target, terms: [...log.workBetween(fromMs, toMs), overhead] });
  };
  for (let row = 0; row < measured.count; row++) {
    const firstMs = requests.firstTokenMs[row]!;
    if (measured.lastTokenMs[row]! <= untilMs) {
      const target = measured.e2eMs[row]! - measured.ttftMs[row]!;
      add("decode", row, target, firstMs, requests.lastTokenMs[row]!, 0);
    }
    if (measured.firstTokenMs[row]! > untilMs) continue;
    if (startsAt === "queue") {
      const target = measured.firstTokenMs[row]! - measured.scheduledMs[row]!;
      add("prefill", row, target, requests.scheduledMs[row]!, firstMs, 0);
    } else {
      add("prefill", row, measured.ttftMs[row]!, requests.arrivalMs[row]!, firstMs, 1);
    }
  }
  return observations;
}

/** Mean relative difference of the times that requests took in all and to their first token. */
function disagreement({ measured, untilMs }: RunToFit, { requests }: SimulatedRun): number {
  let total = 0;
  let count = 0;
  for (let row = 0; row < measured.count; row++) {
    if (measured.lastTokenMs[row]! > untilMs) continue;
    total += Math.abs(requests.e2eMs[row]! - measured.e2eMs[row]!) / measured.e2eMs[row]!;
    total += Math.abs(requests.ttftMs[row]! - measured.ttftMs[row]!) / measured.e2eMs[row]!;
    count++;
  }
  return count === 0 ? 0 : total / count;
}

function pointOf(
  { kind, row, target, terms }: RequestObservation,
  coefficients: readonly number[],
  { inputTokens, outputTokens }: MeasuredRequests,
): FittedPoint {
  const part = kind === "decode" ? "first to last token" : "start to first token";
  return {
    kind,
    measuredMs: target,
    predictedMs: predict(coefficients, terms),
    text: `request ${row + 1}, ${part}: ${inputTokens[row]!} prompt, ${outputTokens[row]!} output tokens`,
  };
}

/** A sentence for every coefficient that the observations cannot tell. */
function untold(observations: readonly Observation[], startsAt: "queue" | "client"): string[] {
  const all = squaredError(observations);
  const names = startsAt === "client" ? [...LINEAR_COEFFICIENTS, "overheads http_ms"] : LINEAR_COEFFICIENTS;
  return names
    .filter((_, j) => {
      const without = observations.map(({ terms, target }) => ({
        target,
        terms: terms.map((term, k) => (k === j ? 0 : term)),
      }));
      return squaredError(without) < (1 + TELLING_SHARE) * all;
    })
    .map((name) => `${name}: the requests do not tell it from the others, take it with caution.`);
}

function squaredError(observations: readonly Observation[]): number {
  const coefficients = fitRelative(observations);
  return observations.reduce((sum, { terms, target }) => {
    return sum + (predict(coefficients, terms) / target - 1) ** 2;
  }, 0);
}

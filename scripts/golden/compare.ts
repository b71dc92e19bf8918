import type { StepView } from "../../src/engine/observer.js";
import { replay, type Replay, type ReplayedEngine, type Side } from "./replay.js";
import type { GoldenResult, GoldenScenario, GoldenStep, GoldenTotals } from "./scenario.js";

/** What is compared of one engine. */
interface Expected {
  readonly steps: readonly GoldenStep[];
  readonly results: Readonly<Record<string, GoldenResult>>;
  readonly totals: GoldenTotals;
  readonly blockSize: number;
}

const KINDS = { first: "N", resumed: "P", running: "R" } as const;

/**
 * Runs a scenario step by step and fast and compares it with vLLM: every step with tokens (order, tokens,
 * computed before, preemptions, times; free blocks and prefix statistics; block ids, evictions and the free
 * queue) on the plain engine, every request's times on both.
 *
 * @returns the first difference of each engine and path, as one line each; empty = all equal.
 */
export function compareScenario(scenario: GoldenScenario): string[] {
  const names = scenario.requests.map((request) => request.id).sort();
  const differences = [];
  for (const time of ["plain", "fast"] as const) {
    const replayed = replay(scenario, time);
    for (const [side, expected] of expectations(scenario)) {
      const found = firstDifference(expected, replayed, side, names, time);
      if (found !== null) differences.push(`${scenario.name} [${time}, ${side}] ${found}`);
    }
  }
  return differences;
}

function expectations(scenario: GoldenScenario): [Side, Expected][] {
  const { totals } = scenario;
  const blockSize = (scenario.config ?? scenario.config_decode!).block_size;
  if (!("P" in totals)) {
    return [["decode", { steps: scenario.steps!, results: scenario.results!, totals, blockSize }]];
  }
  const { steps_prefill, steps_decode, results_prefill, results_decode } = scenario;
  return [
    ["prefill", { steps: steps_prefill!, results: results_prefill!, totals: totals.P, blockSize }],
    ["decode", { steps: steps_decode!, results: results_decode!, totals: totals.D, blockSize }],
  ];
}

function firstDifference(
  expected: Expected,
  replayed: Replay,
  side: Side,
  names: readonly string[],
  time: "fast" | "plain",
): string | null {
  const engine = replayed[side]!;
  return (
    (time === "plain" ? stepsDifference(expected.steps, engine.steps, names) : null) ??
    resultsDifference(expected, engine) ??
    difference("preemptions", expected.totals.preemptions, engine.preemptions) ??
    difference("free blocks at the end", expected.totals.free_blocks_end, engine.freeAtEnd) ??
    gapsDifference(engine)
  );
}

function stepsDifference(golden: readonly GoldenStep[], ours: readonly StepView[], names: readonly string[]) {
  const expected = golden.filter((step) => step.tok > 0);
  const got = ours.filter((step) => step.tokens > 0);
  for (let i = 0; i < Math.min(expected.length, got.length); i++) {
    const found = stepDifference(expected[i]!, got[i]!, names);
    if (found !== null) return `step k=${expected[i]!.k} ${found}`;
  }
  return difference("steps with tokens", expected.length, got.length);
}

function stepDifference(step: GoldenStep, got: StepView, names: readonly string[]): string | null {
  const named = (ids: readonly number[]) => ids.map((id) => names[id]);
  const expectedWork = step.sched.map(([id, kind, before, n]) => [id, kind, before, n]);
  const gotWork = got.scheduled.map((one) => [
    names[one.id],
    KINDS[one.kind],
    one.computedBefore,
    one.tokens,
  ]);
  const { prefix } = got;
  const counts = [
    prefix.requests,
    prefix.queries,
    prefix.hits,
    prefix.preemptedRequests,
    prefix.preemptedQueries,
    prefix.preemptedHits,
  ];
  const blocks = got.scheduled.map((one) => one.blocks);
  return (
    difference("sched", expectedWork, gotWork) ??
    difference("preempted", step.preempted, named(got.preempted)) ??
    difference("t", step.t, got.scheduledMs) ??
    difference("t_exec", step.t_exec ?? step.t, got.startMs) ??
    difference("t_end", step.t_end, got.endMs) ??
    difference("free blocks", [step.free0, step.free1, step.free2], freeOf(got)) ??
    difference("pcs", step.pcs ?? [0, 0, 0, 0, 0, 0], counts) ??
    difference(
      "blocks",
      step.sched.map((entry) => entry[4]),
      blocks,
    ) ??
    difference("evicted", step.evicted, got.evicted) ??
    difference("free_queue", step.free_queue ?? got.freeQueue, got.freeQueue) ??
    difference("tokens_for", step.tokens_for, named(got.tokensFor)) ??
    difference("finished", step.finished, named(got.finished))
  );
}

function freeOf(step: StepView): number[] {
  return [step.freeBefore, step.freeScheduled, step.freeAfter];
}

function resultsDifference(golden: Expected, engine: ReplayedEngine): string | null {
  for (const [id, expected] of Object.entries(golden.results)) {
    const got = engine.requests.get(id);
    if (got === undefined) {
      if (expected.token_times_ns.length === 0) continue;
      return `request ${id}: not submitted`;
    }
    const reason = got.finishReason === "aborted" ? "abort" : got.finishReason === null ? null : "length";
    const found =
      difference("arrival_ns", expected.arrival_ns, got.arrivalNs) ??
      difference("first_sched_ns", expected.first_sched_ns, got.firstScheduledNs) ??
      difference("finish_ns", expected.finish_ns, got.finishNs) ??
      difference("finish_reason", expected.finish_reason, reason) ??
      difference("n_output", expected.n_output, got.outputTokens) ??
      difference("first token", expected.token_times_ns[0] ?? null, got.firstTokenNs) ??
      difference("token_times_ns", expected.token_times_ns, got.tokenTimesNs) ??
      difference("preemptions", expected.preemptions, got.preemptions) ??
      difference("cached tokens", cachedTokens(id, expected, golden), got.cachedTokens);
    if (found !== null) return `request ${id}: ${found}`;
  }
  return null;
}

/**
 * Tokens found in the local prefix cache at first admission. vLLM's figure includes those that came over the
 * network; of a request that loaded its KV we want the part it did not have to read.
 */
function cachedTokens(id: string, result: GoldenResult, { steps, blockSize }: Expected): number {
  const load = steps.flatMap((step) => step.xfer_start ?? []).find(([loaded]) => loaded === id);
  if (load === undefined || result.num_cached_tokens < 0) return result.num_cached_tokens;
  return (Math.ceil(result.n_prompt / blockSize) - load[1]) * blockSize;
}

/** The gaps the listener was told, against the token times of the requests. */
function gapsDifference(engine: ReplayedEngine): string | null {
  const expected = new Map<number, number>();
  for (const { tokenTimesNs: times } of engine.requests.values()) {
    for (let i = 1; i < times.length; i++) {
      const gap = times[i]! - times[i - 1]!;
      expected.set(gap, (expected.get(gap) ?? 0) + 1);
    }
  }
  const sorted = (gaps: Map<number, number>) => [...gaps].sort(([a], [b]) => a - b);
  return difference("token gaps", sorted(expected), sorted(engine.gaps));
}

function difference(what: string, expected: unknown, got: unknown): string | null {
  const expectedText = JSON.stringify(expected);
  const gotText = JSON.stringify(got);
  return expectedText === gotText ? null : `${what}: expected ${expectedText}, got ${gotText}`;
}

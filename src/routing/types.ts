import type { Random } from "../values/random.js";
import type { CandidateSet } from "./candidate-set.js";
import type { ChangeLog } from "./change-log.js";

export type Leg = "prefill" | "decode";

/**
 * The prefix of a request as the router sees it: a string of symbols. A symbol is a trace block id in the
 * simulator, a character or a token id behind the proxy. The array may be reused by the caller as soon as
 * `route` has returned.
 */
export interface PrefixKey {
  readonly symbols: Int32Array;
  /** Symbols in use, from the start of `symbols`. */
  readonly length: number;
  /** Units (tokens or characters) of one symbol; the last one may stand for fewer. */
  readonly unitsPerSymbol: number;
  /** Units of the whole key. */
  readonly totalUnits: number;
}

/** What the routing core knows of a request. */
export interface RoutingRequest {
  /** Chosen by the caller; unique among the requests that are open. */
  readonly id: number;
  /** Estimated or exact, as the front end gives it. */
  readonly promptTokens: number;
  readonly prefix: PrefixKey;
  /** Key that hash and sticky policies use; null = none given. */
  readonly sessionKey: string | null;
  /** Looked at only where the workers name the models that they serve. */
  readonly model: string;
  readonly priority: number;
  /**
   * Why the front end cannot hand this request's KV over, e.g. `several_sequences`: the decider is then not
   * asked, and this is the branch of the decision. Absent = it can.
   */
  readonly decodeOnly?: string;
  /**
   * Workers that the front end wants for the legs, by index. Policies are asked all the same, so that what
   * they decide later does not depend on it; a worker that is no candidate is passed over.
   */
  readonly pinned?: { readonly prefill?: number; readonly decode?: number };
}

/** Engine statistics as last seen by the router. */
export interface WorkerStats {
  readonly running: number;
  readonly waiting: number;
  readonly kvUsage: number;
  /** When the engine had these values, ms. */
  readonly atMs: number;
}

/** A worker as the driver describes it. */
export interface WorkerSpec {
  readonly id: string;
  readonly leg: Leg;
  /** The model it serves; absent or null = any, and then so for all workers of the fleet. */
  readonly model?: string | null;
  /** Workers that may exchange KV: AIBrix's roleset, Dynamo's topology domain. Absent = the common group. */
  readonly group?: string;
  /** The engine's token budget of one step; null or absent = unknown. */
  readonly maxNumBatchedTokens?: number | null;
  /** KV capacity of the engine, tokens; null or absent = unknown. */
  readonly kvCapacityTokens?: number | null;
}

/** One worker, as policies see it. `index` counts over all workers of the fleet, both legs. */
export interface Worker {
  readonly index: number;
  readonly id: string;
  readonly leg: Leg;
  /** Null: any. */
  readonly model: string | null;
  /** Number of the worker's group; workers without one share group 0. */
  readonly group: number;
  readonly maxNumBatchedTokens: number | null;
  readonly kvCapacityTokens: number | null;
  healthy: boolean;
  stats: WorkerStats | null;
}

/** A worker as a decision finds it. */
export interface CandidateView {
  /** Index over all workers of the fleet. */
  readonly worker: number;
  readonly id: string;
  readonly open: number;
  readonly openTokens: number;
  readonly prefillTokens: number;
  /** Prompt tokens of the request that the worker is believed to hold; null where no index is kept of its leg. */
  readonly cachedTokens: number | null;
  readonly stats: WorkerStats | null;
}

/** Figures that a decision compared, by name, in the order they were computed. */
export type Figures = Readonly<Record<string, number>>;

/** Figures that are no quantities: the index of a worker. */
export const WORKER_FIGURES: readonly string[] = ["first", "second", "owner", "instead_of"];

/** Which worker a leg goes to and why. */
export interface LegDecision {
  /** Index over all workers of the fleet. */
  readonly worker: number;
  readonly policy: string;
  /** The branch of the policy that chose, e.g. `cache_hit`, `min_load`, `balance`. */
  readonly branch: string;
  readonly figures: Figures;
}

/**
 * The outcome of one `route` call.
 *
 * - `disaggregated`: both legs; `decode` is null until `routeDecode` under the order `late_decode`.
 * - `decode_only`: one worker prefills and decodes; `prefill` is null.
 * - `rejected`: no worker takes the request (`branch` says why); both legs are null and nothing is open.
 */
export interface RouteDecision {
  readonly requestId: number;
  readonly path: "disaggregated" | "decode_only" | "rejected";
  /** Name of the decider. */
  readonly decider: string;
  /** The branch of the decider, e.g. `at_or_above_threshold`. */
  readonly branch: string;
  readonly figures: Figures;
  readonly prefill: LegDecision | null;
  readonly decode: LegDecision | null;
}

/**
 * How a leg ended. `retryable` is a failure with a status that routers retry (408, 429, 5xx), `failed` any
 * other.
 */
export type LegOutcome = "completed" | "failed" | "retryable" | "cancelled";

/** Read-only view of the router's load counters, one value per worker of the fleet. */
export interface LedgerView {
  /** Requests open on a worker. */
  open(worker: number): number;
  /** Prompt tokens of the requests open on a worker. */
  openTokens(worker: number): number;
  /** Prompt tokens of the open requests whose prefill on this worker has not ended. */
  prefillTokens(worker: number): number;
}

/** Load counters that tell which of them have changed. */
export interface TrackedLedger extends LedgerView {
  /** Changes of `open` and `openTokens`. */
  readonly changes: ChangeLog;
}

/** What a policy may use besides the candidates and the request. */
export interface PolicyContext {
  readonly nowMs: number;
  readonly ledger: TrackedLedger;
  readonly random: Random;
  /** Changes of the workers' `stats`. */
  readonly statsChanges: ChangeLog;
  /**
   * All healthy workers of the leg in fleet order: the very list of candidates unless some of them were ruled out,
   * and the same one until a worker comes, goes, falls ill or recovers.
   */
  readonly healthy: readonly Worker[];
  /** Tells in one step whether a worker is among the candidates. */
  readonly candidateSet: CandidateSet;
  /** All workers of the leg, unhealthy ones included, in fleet order. */
  readonly workers: readonly Worker[];
  /** Whether the prompt will be computed on the worker chosen; null = the decider has not been asked yet. */
  readonly prefillsHere: boolean | null;
}

/**
 * Picks a worker for one leg. One instance per leg; it may keep state of its own. `pick` only chooses: that
 * the request was sent is told by `onRouted`, since a decider may look at a choice that is then not taken.
 */
export interface Policy {
  readonly name: string;
  /** `candidates` are the healthy workers of the leg in fleet order; never empty. */
  pick(candidates: readonly Worker[], request: RoutingRequest, context: PolicyContext): LegDecision;
  /**
   * Writes what each candidate would cost, by worker index, lower is better and Infinity rules out. Policies
   * that have it can be chosen jointly for both legs.
   *
   * @returns the branch; `BOUND` when only one worker is left in.
   */
  costs?(
    candidates: readonly Worker[],
    request: RoutingRequest,
    context: PolicyContext,
    out: Float64Array,
  ): string;
  /** The request goes to `decision.worker`, which computes the prompt when `prefillsHere`. */
  onRouted?(decision: LegDecision, request: RoutingRequest, nowMs: number, prefillsHere: boolean): void;
  /**
   * From now on the worker is taken to hold the request's prefix: at routing or at the end of prefill, as
   * `index_update` says.
   */
  onPrefixHeld?(decision: LegDecision, request: RoutingRequest, nowMs: number): void;
  /** The request's prefill has ended, wherever it ran. */
  onPrefillEnd?(worker: number, requestId: number, nowMs: number): void;
  onLegEnd?(worker: number, requestId: number, outcome: LegOutcome, nowMs: number): void;
  /** The worker is gone, or has restarted with an empty cache. */
  onWorkerRemoved?(worker: number): void;
  /** Workers have joined or left the leg. */
  onWorkersChanged?(workers: readonly Worker[]): void;
  onKvEvent?(event: KvEvent): void;
  /** Units of the request's prefix that `worker` is believed to hold; absent = the policy keeps no index. */
  heldUnits?(request: RoutingRequest, worker: number): number;
}

/** Branch of a policy whose costs leave one worker in. */
export const BOUND = "imbalance";

/** What an engine tells about its KV cache. `symbols` are those of `PrefixKey`, each naming its whole prefix. */
export interface KvEvent {
  readonly worker: number;
  readonly kind: "stored" | "removed" | "cleared";
  /** Empty for `cleared`. */
  readonly symbols: Int32Array;
}

/** Decides whether to disaggregate. */
export interface Decider {
  readonly name: string;
  decide(request: RoutingRequest, context: DeciderContext): DeciderDecision;
}

export interface DeciderDecision {
  readonly disaggregate: boolean;
  /** The request is turned away, whatever `disaggregate` says. */
  readonly reject?: boolean;
  readonly branch: string;
  readonly figures: Figures;
}

export interface DeciderContext {
  readonly nowMs: number;
  readonly ledger: LedgerView;
  readonly random: Random;
  /** Healthy workers of each leg in fleet order; `decodeWorkers` is never empty. */
  readonly prefillWorkers: readonly Worker[];
  readonly decodeWorkers: readonly Worker[];
  /** The decode leg the request will get; chosen when first asked for. */
  decodeLeg(): LegDecision;
  /** The prefill leg it would get if disaggregated, or null when there is none; chosen when first asked for. */
  prefillLeg(): LegDecision | null;
  worker(index: number): Worker;
  /** Prompt tokens of the request that a worker is believed to hold. */
  cachedTokens(worker: Worker): number;
}

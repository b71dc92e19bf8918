import type { Random } from "../values/random.js";

export type Leg = "prefill" | "decode";

/**
 * The prefix of a request as the router sees it: a string of symbols. A symbol is a trace block id in the
 * simulator, a character or a token id behind the proxy.
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
  readonly id: number;
  /** Estimated or exact, as the front end gives it. */
  readonly promptTokens: number;
  readonly prefix: PrefixKey;
  /** Key that hash and sticky policies use; null = none given. */
  readonly sessionKey: string | null;
  readonly model: string;
  readonly priority: number;
}

/** Engine statistics as last seen by the router. */
export interface WorkerStats {
  readonly running: number;
  readonly waiting: number;
  readonly kvUsage: number;
  /** When the engine had these values, ms. */
  readonly atMs: number;
}

/** One worker, as policies see it. `index` counts over all workers of the fleet, both legs. */
export interface Worker {
  readonly index: number;
  readonly id: string;
  readonly leg: Leg;
  healthy: boolean;
  stats: WorkerStats | null;
}

/** Figures that a decision compared, by name, in the order they were computed. */
export type Figures = Readonly<Record<string, number>>;

/** Which worker a leg goes to and why. */
export interface LegDecision {
  readonly worker: number;
  readonly policy: string;
  /** The branch of the policy that chose, e.g. `cache_hit`, `min_load`, `balance`. */
  readonly branch: string;
  readonly figures: Figures;
}

/** The outcome of one `route` call. */
export interface RouteDecision {
  readonly requestId: number;
  readonly path: "disaggregated" | "decode_only";
  /** The branch of the decider, e.g. `at_or_above_threshold`. */
  readonly decider: string;
  readonly branch: string;
  readonly figures: Figures;
  readonly prefill: LegDecision | null;
  readonly decode: LegDecision;
}

/** How a leg ended. */
export type LegOutcome = "completed" | "failed" | "cancelled";

/** Read-only view of the in-flight ledger that the router owns. */
export interface LedgerView {
  /** Requests open on a worker. */
  open(worker: number): number;
  /** Prompt tokens open on a worker. */
  openTokens(worker: number): number;
}

/** What a policy may use besides the candidates and the request. */
export interface PolicyContext {
  readonly nowMs: number;
  readonly ledger: LedgerView;
  readonly random: Random;
}

/** Picks a worker for one leg. One instance per leg; it may keep state of its own. */
export interface Policy {
  readonly name: string;
  /** `candidates` are the healthy workers of the leg in fleet order; never empty. */
  pick(candidates: readonly Worker[], request: RoutingRequest, context: PolicyContext): LegDecision;
  /** The leg's prefill has been computed on `worker`. */
  onPrefillEnd?(worker: number, request: RoutingRequest, nowMs: number): void;
  onWorkerRemoved?(worker: number): void;
}

/** Decides whether to disaggregate. */
export interface Decider {
  readonly name: string;
  decide(
    request: RoutingRequest,
    context: DeciderContext,
  ): { disaggregate: boolean; branch: string; figures: Figures };
}

export interface DeciderContext extends PolicyContext {
  readonly prefillWorkers: readonly Worker[];
  readonly decodeWorkers: readonly Worker[];
  /** Prompt tokens of the request that `worker` is believed to hold, by the policy's own index. */
  cachedTokens(worker: number): number;
}

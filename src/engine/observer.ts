/** What happened in one step, for comparison with vLLM. */
export interface StepView {
  readonly scheduledMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly tokens: number;
  /** Free blocks before and after the schedule, and after the outputs of the step were handled. */
  readonly freeBefore: number;
  readonly freeScheduled: number;
  readonly freeAfter: number;
  readonly scheduled: readonly ScheduledView[];
  readonly preempted: readonly number[];
  /** Blocks whose cached content was given up, in order. */
  readonly evicted: readonly number[];
  /** Ids after the schedule: `running` in list order, the queues in the order they are served. */
  readonly running: readonly number[];
  readonly waiting: readonly number[];
  readonly skippedWaiting: readonly number[];
  /** Head to tail, after the schedule. */
  readonly freeQueue: readonly number[];
  readonly prefix: PrefixCounts;
  /** Ids that got one token, and ids that ended with it. */
  readonly tokensFor: readonly number[];
  readonly finished: readonly number[];
  /** Transfers that the worker reported at the end of the step. */
  readonly received: readonly number[];
  readonly sent: readonly number[];
}

export interface ScheduledView {
  readonly id: number;
  readonly kind: "first" | "resumed" | "running";
  readonly computedBefore: number;
  readonly tokens: number;
  /** The whole block table of an admitted request, the new blocks of a running one. */
  readonly blocks: readonly number[];
}

/** vLLM's prefix cache statistics of one schedule; requests that were preempted before are counted apart. */
export interface PrefixCounts {
  requests: number;
  queries: number;
  hits: number;
  preemptedRequests: number;
  preemptedQueries: number;
  preemptedHits: number;
}

/** Watches an engine closely. An engine without one records nothing of this and pays nothing for it. */
export interface EngineObserver {
  /** One token for each of `ids`, at `atMs`. */
  onTokens?(ids: readonly number[], atMs: number): void;
  /**
   * `steps` decode-only steps in a row, each with one token for each of `ids`: the first at `firstMs`, then
   * after gaps of `gapMs`, `gapMs + deltaMs`, `gapMs + 2 deltaMs`, ... Only the fast engine has such runs.
   */
  onDecodeRun?(ids: readonly number[], firstMs: number, gapMs: number, deltaMs: number, steps: number): void;
  /** A step has ended; also one without tokens, as vLLM runs them to flush its state. Plain engine only. */
  onStep?(step: StepView): void;
}

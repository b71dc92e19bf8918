import type { BlockSpan } from "../values/block-span.js";

/**
 * What an engine does with a request's KV cache.
 *
 * - `local`: prefill and decode here.
 * - `remote_decode`: the prefill leg. It generates one token and holds its blocks until `kvSent`.
 * - `remote_prefill`: the decode leg. It allocates blocks, waits for `kvArrived`, then schedules.
 */
export type KvRole = "local" | "remote_decode" | "remote_prefill";

/** One leg of a request, as submitted to one engine. */
export interface LegRequest {
  /** Chosen by the caller; unique among the requests open in this engine. */
  readonly id: number;
  readonly promptTokens: number;
  /** Tokens to generate (vLLM's max_tokens; the model never stops earlier); at least 1. */
  readonly outputTokens: number;
  readonly content: BlockSpan;
  /** Smaller is served first under the `priority` policy. */
  readonly priority: number;
  readonly kvRole: KvRole;
}

export type FinishReason = "length" | "max_model_len" | "aborted";

/**
 * Hears of the blocks that an engine's prefix cache gains and loses, as vLLM's KV events tell them: once for each
 * physical block, also where another holds the same. Keys are those of the content's block ids (`BlockTable`);
 * negative ones belong to one request and mean nothing to others.
 */
export interface KvListener {
  /** Blocks of `count` consecutive keys can be found from now on. */
  onKvStored(firstKey: number, count: number): void;
  /** The block of this key is handed out again. */
  onKvRemoved(key: number): void;
}

/**
 * What an engine tells its driver. Calls come in order of time, from within `submit`, `abort` and `advance`; only of
 * tokens the fast engine may tell ahead, by two steps at most. A listener must not call back into the engine.
 */
export interface EngineListener {
  /** Absent = nobody wants to know, and nothing is told. */
  readonly kv?: KvListener;
  /** First scheduled: end of queueing. `cachedTokens` = prefix tokens found here (local hits only). */
  onScheduled(id: number, atMs: number, cachedTokens: number): void;
  /** The decode leg holds its blocks and now reads `tokens` tokens of KV from the prefill engine. */
  onKvReadStart(id: number, atMs: number, tokens: number): void;
  /** Void where the request ends before `atMs`, aborted after this was told. */
  onFirstToken(id: number, atMs: number): void;
  onPreempted(id: number, atMs: number): void;
  /** The last token is out (or the request was aborted); `outputTokens` were generated. */
  onFinished(id: number, atMs: number, reason: FinishReason, outputTokens: number): void;
  /**
   * `steps` successive gaps between tokens, each shared by `sequences` requests: `firstMs`,
   * `firstMs + deltaMs`, `firstMs + 2 deltaMs`, ... A single gap has `steps` 1 and `deltaMs` 0. The last of
   * the tokens came at `endMs`. The gaps are those of every request that had a token in the step before;
   * one that was passed over or preempted since its last token is told alone, as `lateId` (else -1).
   */
  onTokenGaps(
    firstMs: number,
    deltaMs: number,
    steps: number,
    sequences: number,
    endMs: number,
    lateId: number,
  ): void;
}

/** Settings of one engine; the names are vLLM's. */
export interface EngineConfig {
  /** Tokens of one KV block. */
  readonly blockSize: number;
  /** KV blocks on the card, vLLM's null block included: `numGpuBlocks - 1` are usable. */
  readonly numGpuBlocks: number;
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  /** Longest chunk of one prefill in a step; 0 = no limit but the budget. */
  readonly longPrefillTokenThreshold: number;
  readonly maxModelLen: number;
  readonly enablePrefixCaching: boolean;
  readonly enableChunkedPrefill: boolean;
  readonly schedulingPolicy: "fcfs" | "priority";
  readonly asyncScheduling: boolean;
  /** The rules that differ between vLLM releases; see `vllm-versions.ts`. */
  readonly rules: VllmRules;
}

/** Scheduler rules that changed between vLLM releases, each named after what it does when true. */
export interface VllmRules {
  /** Admission wants free blocks for the whole known sequence, not for the first chunk only. */
  readonly reserveFullSequence: boolean;
  /** Without chunked prefill, a prompt over the budget ends admission instead of being passed over. */
  readonly oversizedPromptStopsAdmission: boolean;
  /** Released blocks without a key go to the head of the free queue. */
  readonly unkeyedBlocksToHead: boolean;
  /** Prefix statistics count an admission, not every lookup. */
  readonly countPrefixAtAdmission: boolean;
  /** Async scheduling runs a finishing request one step too long. */
  readonly asyncExtraStep: boolean;
  /** Requests waiting for remote KV keep their order in a queue of their own. */
  readonly stableRemoteQueue: boolean;
  /** An abort during a KV load takes effect when the load has ended. */
  readonly deferAbortDuringLoad: boolean;
  /** An abort gives back blocks that a finished prefill still holds for its reader. */
  readonly abortReleasesHeldBlocks: boolean;
  /** An idle engine that still holds blocks for a transfer notices its end at once. */
  readonly idlePollsFinishedSends: boolean;
  /** A KV load is admitted only beside the blocks that running prefills and loads still need. */
  readonly reserveForLoads: boolean;
  /**
   * Under `priority`, a victim that stands earlier in the running list and has no token in this step makes the
   * loop pass over one request.
   */
  readonly unscheduledVictimSkipsNext: boolean;
}

/** What one step has to compute: the argument of a step-time model. */
export interface StepLoad {
  /** Sequences that compute one token on top of their context (decodes). */
  decodes: number;
  /** Sum over the decodes of tokens attended to (context + 1). */
  decodeContextTokens: number;
  /** Largest of the decodes' contexts (context + 1); 0 without decodes. */
  decodeMaxContextTokens: number;
  /** Prefill chunks in the step. */
  prefills: number;
  /** Tokens of all prefill chunks. */
  prefillTokens: number;
  /** Sum over prefill chunks of the tokens already computed before the chunk. */
  prefillContextTokens: number;
  /** Sum over prefill chunks of `chunk * (context + chunk / 2)`: pairs of tokens that attend to each other. */
  prefillPairs: number;
}

/** A stretch on which the decode-only step time is a straight line in the context tokens. */
export interface DecodeLine {
  /** Step time at zero context tokens, ms. */
  interceptMs: number;
  slopeMsPerToken: number;
  /** The line holds for `decodeContextTokens <= untilContextTokens`. */
  untilContextTokens: number;
}

/** How long a step takes. Pure; the same load gives the same time. */
export interface StepTimeModel {
  stepMs(load: StepLoad): number;
  /**
   * Writes the line on which a step of `decodes` decodes and nothing else lies at `contextTokens`, and the steps
   * after it, in which every context grows by one: `decodes * maxContextTokens - contextTokens` stays the same.
   */
  decodeLine(decodes: number, contextTokens: number, out: DecodeLine, maxContextTokens: number): void;
}

/** What a router may know of an engine, at one instant. */
export interface EngineGauges {
  readonly running: number;
  /** Waiting to be scheduled, requests waiting for remote KV included. */
  readonly waiting: number;
  /** 1 - free / usable blocks, 0..1. */
  readonly kvUsage: number;
}

/** Totals of one engine over a run. */
export interface EngineTotals {
  steps: number;
  busyMs: number;
  preemptions: number;
  maxRunning: number;
  maxWaiting: number;
  /** Highest `kvUsage`. */
  kvPeak: number;
  /** Prompt tokens looked up and found, counted once per request at its first admission. */
  promptTokens: number;
  hitTokens: number;
}

/**
 * An engine in virtual time. The plain and the fast implementation give the same events.
 *
 * The driver calls `advance` with non-decreasing times and never beyond `nextEventMs` without doing so;
 * `submit`, `abort`, `kvArrived` and `kvSent` take the current time and act at the next step boundary: call them
 * before `advance` of the same instant for them to act at a boundary at that very instant.
 *
 * Like vLLM, an engine can lock up: where the priority policy or rules before 0.19 let a loaded request hold KV
 * behind a request that lacks it, nothing runs any more. Such an engine sleeps while its gauges show waiting
 * requests. Preempting for ever without a token is a WorkError.
 */
export interface Engine {
  /** Why the engine could never serve the request, as the end of a sentence about it; else null. */
  reject(request: LegRequest): string | null;
  /** @throws InputError if the block sizes of content and engine do not go together. */
  submit(request: LegRequest, nowMs: number): void;
  /** Unknown ids are ignored, as in vLLM. */
  abort(id: number, nowMs: number): void;
  /** The KV of a `remote_prefill` request has been read completely. */
  kvArrived(id: number, nowMs: number): void;
  /** The KV held for a `remote_decode` request has been read; its blocks may go. */
  kvSent(id: number, nowMs: number): void;
  /** Time of the next thing that happens by itself; Infinity when idle. */
  nextEventMs(): number;
  /** Lets everything up to and including `nowMs` happen. */
  advance(nowMs: number): void;
  gauges(nowMs: number): EngineGauges;
  totals(): EngineTotals;
  /**
   * Blocks referenced by requests; 0 once all have ended. This and `blocksOf` lag behind during a run of decode
   * steps that the fast engine treats as one event; `gauges` do not.
   */
  blocksInUse(): number;
  /** Tokens of the request that the prefix cache would give it now; changes nothing. */
  cachedTokens(request: LegRequest): number;
  /** Physical blocks of a request, in the order of its tokens; empty where it has none or is unknown. */
  blocksOf(id: number): readonly number[];
}

import type { BlockSpan } from "../src/values/block-span.js";
import type { ApiError } from "./http/api-error.js";
import type { BlockHashes } from "./kv/block-hashes.js";
import type { KvIntent, RemoteHandle } from "./kv/kv-params.js";

/** One sequence for an engine to generate: a prompt and the output that was chosen for it. */
export interface LegSpec {
  /** Prompt, then output. */
  readonly tokens: Int32Array;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** How it ends when nothing goes wrong. */
  readonly finishReason: "stop" | "length";
  /** What its prefix is told apart by besides the tokens (`rootHash`). */
  readonly root: number;
  /** Adapter it runs with, or null. */
  readonly lora: string | null;
  readonly priority: number;
  readonly intent: KvIntent;
  /** The engine's name for the request; the peer of a KV transfer knows it by this. */
  readonly requestId: string;
}

/** Where the tokens of a leg go. */
export interface LegSink {
  /** One more token is out: the `leg.emitted`-th. */
  onToken(leg: Leg): void;
  /** All tokens are out, and KV that had to be sent has been. */
  onEnd(leg: Leg): void;
  onFailed(leg: Leg, error: ApiError): void;
}

export type LegState = "open" | "ended" | "failed" | "aborted";

/** Where KV that a leg does not compute comes from. */
export type KvSource =
  | { readonly kind: "pull"; readonly handle: RemoteHandle }
  /** LMCache has pushed it here before. */
  | { readonly kind: "received" }
  | { readonly kind: "storage" };

/** The content of a leg as its engine names it. */
export interface LegContent {
  readonly hashes: BlockHashes;
  readonly span: BlockSpan;
}

/** A leg on its way through one engine. Times are virtual ms, NaN before they are known. */
export class Leg {
  readonly spec: LegSpec;
  readonly sink: LegSink;
  readonly content: LegContent;
  readonly source: KvSource | null;
  readonly arrivalMs: number;
  /** Its id in the engine; a new one when it starts over locally after a failed KV load. */
  engineId = -1;
  state: LegState = "open";
  emitted = 0;
  scheduledMs = NaN;
  firstTokenMs = NaN;
  lastTokenMs = NaN;
  /** Prompt tokens it did not have to compute, remote ones included, as vLLM's `num_cached_tokens`. */
  cachedTokens = 0;
  /** Prompt tokens that came from another engine. */
  externalTokens = 0;
  /** What the response carries as `kv_transfer_params`. */
  responseParams: object | null = null;

  constructor(spec: LegSpec, sink: LegSink, content: LegContent, source: KvSource | null, arrivalMs: number) {
    this.spec = spec;
    this.sink = sink;
    this.content = content;
    this.source = source;
    this.arrivalMs = arrivalMs;
  }
}

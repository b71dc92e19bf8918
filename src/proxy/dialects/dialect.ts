import type { Leg } from "../../routing/types.js";
import type { GenerationApi, JsonObject } from "../generation-api.js";

/** Where a worker is, as far as a dialect needs it. */
export interface WorkerAddress {
  /** `http://host:port`, without a data-parallel rank. */
  readonly origin: string;
  readonly hostname: string;
  /** Data-parallel rank inside the server, or null. */
  readonly rank: number | null;
  /** Port of the bootstrap server (SGLang, Mooncake), or null. */
  readonly bootstrapPort: number | null;
}

/** What a dialect knows when it writes the legs of one request. */
export interface LegContext {
  readonly api: GenerationApi;
  /** The client's body as it came, and the same parsed. */
  readonly body: Buffer;
  readonly json: JsonObject;
  /** The same on both legs. */
  readonly requestId: string;
  readonly prefill: WorkerAddress;
  /** Null while the decode worker has not been chosen (order `late_decode`). */
  readonly decode: WorkerAddress | null;
  /** A number no other open request has, 0 <= room < 2^63: the rendezvous of both legs. */
  readonly room: bigint;
}

/** The one token of the prefill leg, where the decode leg continues behind it rather than computing it again. */
export interface FirstToken {
  readonly text: string;
  /** JSON text of the members that every chunk of the stream has: `id`, `object`, `created`, `model`. */
  readonly chunkHead: string;
}

export interface DecodeLeg {
  readonly body: Buffer;
  /** To be put in front of what the decode worker answers; null = its answer is complete. */
  readonly firstToken: FirstToken | null;
}

/**
 * How a prefill worker's KV cache gets to a decode worker, in terms of HTTP bodies. Functions are pure: the
 * same context gives the same bytes.
 */
export interface Dialect {
  readonly name: string;
  /** Sequences one request may make and still be disaggregated. */
  readonly maxSequences: number;
  /** True when the decode worker must be known before the prefill leg is written. */
  readonly needsDecodeFirst: boolean;
  /** `concurrent`: both legs are sent at once; `sequential`: decode follows the prefill reply. */
  handoff(context: LegContext): "sequential" | "concurrent";
  prefillBody(context: LegContext): Buffer;
  /** @param reply Body of the prefill worker's answer; null when the legs go out at once. */
  decodeLeg(context: LegContext, reply: Buffer | null): DecodeLeg;
  /** Why a worker cannot be added at run time; null, or absent = it can. */
  refusal?(worker: WorkerAddress, leg: Leg): string | null;
  /** Takes in what a prefill worker tells of itself in its answers. */
  learn?(context: LegContext, reply: Buffer): void;
}

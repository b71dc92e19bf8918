import { encodeMsgpack, Float, type MsgpackValue } from "./msgpack.js";

/** What happened to the prefix cache of an engine; hashes are 64-bit and name a block with all before it. */
export type KvCacheEvent =
  | {
      readonly kind: "stored";
      readonly hashes: readonly bigint[];
      /** Of the block before the first one, null at the start of a prompt. */
      readonly parent: bigint | null;
      /** Of all the blocks, one after the other. */
      readonly tokens: readonly number[];
      readonly lora: string | null;
    }
  | { readonly kind: "removed"; readonly hashes: readonly bigint[] }
  | { readonly kind: "cleared" };

/** `array`: positional fields, vLLM up to 0.19; `map`: named fields, its main branch since. */
export type KvEventFormat = "array" | "map";

const MEDIUM = "GPU";

/** One batch as vLLM's ZMQ publisher sends it (`vllm/distributed/kv_events.py`). */
export function encodeKvEvents(
  events: readonly KvCacheEvent[],
  blockSize: number,
  rank: number,
  timeS: number,
  format: KvEventFormat,
): Buffer {
  if (format === "array") {
    return encodeMsgpack([new Float(timeS), events.map((event) => listOf(event, blockSize)), rank]);
  }
  return encodeMsgpack({
    ts: new Float(timeS),
    events: events.map((event) => mapOf(event, blockSize)),
    data_parallel_rank: rank,
  });
}

function listOf(event: KvCacheEvent, blockSize: number): MsgpackValue {
  if (event.kind === "cleared") return ["AllBlocksCleared"];
  if (event.kind === "removed") return ["BlockRemoved", event.hashes, MEDIUM];
  const { hashes, parent, tokens, lora } = event;
  return ["BlockStored", hashes, parent, tokens, blockSize, null, MEDIUM, lora];
}

function mapOf(event: KvCacheEvent, blockSize: number): MsgpackValue {
  if (event.kind === "cleared") return { type: "AllBlocksCleared" };
  if (event.kind === "removed") return { type: "BlockRemoved", block_hashes: event.hashes, medium: MEDIUM };
  return {
    type: "BlockStored",
    block_hashes: event.hashes,
    parent_block_hash: event.parent,
    token_ids: event.tokens,
    block_size: blockSize,
    lora_id: null,
    medium: MEDIUM,
    lora_name: event.lora,
  };
}

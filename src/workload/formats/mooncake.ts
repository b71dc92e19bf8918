import { ChainInterner } from "../chain-interner.js";
import { atLeastZero, blockIds, wholeNumber } from "./fields.js";
import type { JsonLinesFormat } from "./format.js";

const BLOCK_TOKENS = 512;

/** Times in ms; `hash_ids` are chained prefix hashes of the prompt, the last block may be partly filled. */
export const mooncake: JsonLinesFormat = {
  kind: "jsonl",
  name: "mooncake",
  summary: "timestamp (ms), lengths and 512-token prefix blocks, one JSON object a line",
  source: "kvcache-ai/Mooncake, FAST'25 traces",
  fields: ["timestamp", "input_length", "output_length"],
  blockTokens: BLOCK_TOKENS,
  openReader(trace) {
    const interner = new ChainInterner(trace.blocks);
    return (record) => {
      const arrivalMs = atLeastZero("timestamp", record["timestamp"]);
      const inputTokens = wholeNumber("input_length", record["input_length"], 1);
      const outputTokens = wholeNumber("output_length", record["output_length"], 0);
      const ids = blockIds("hash_ids", record["hash_ids"] ?? [], inputTokens, BLOCK_TOKENS);
      interner.append(ids);
      trace.add({ arrivalMs, inputTokens, outputTokens });
    };
  },
};

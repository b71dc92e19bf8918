import { TokenInterner } from "../token-interner.js";
import { atLeastZero, tokenIds, wholeNumber } from "./fields.js";
import type { JsonLinesFormat } from "./format.js";

const BLOCK_TOKENS = 16;

/**
 * Times in ns. Where the lines carry token ids, prompt and output are cut into blocks that share an id exactly
 * when they and all before them are equal, so prefix hits are exact.
 */
export const llmservingsim: JsonLinesFormat = {
  kind: "jsonl",
  name: "llmservingsim",
  summary: "arrival_time_ns, lengths and optional token ids, one JSON object a line",
  source: "casys-kaist/LLMServingSim workloads",
  fields: ["arrival_time_ns", "input_toks", "output_toks"],
  blockTokens: BLOCK_TOKENS,
  openReader(trace) {
    trace.coversOutput = true;
    const interner = new TokenInterner(trace.blocks, BLOCK_TOKENS);
    return (record) => {
      const arrivalMs = atLeastZero("arrival_time_ns", record["arrival_time_ns"]) / 1e6;
      const inputTokens = wholeNumber("input_toks", record["input_toks"], 1);
      const outputTokens = wholeNumber("output_toks", record["output_toks"], 0);
      if (record["input_tok_ids"] !== undefined) {
        const input = tokenIds("input_tok_ids", record["input_tok_ids"], inputTokens);
        const output =
          record["output_tok_ids"] === undefined
            ? []
            : tokenIds("output_tok_ids", record["output_tok_ids"], outputTokens);
        interner.append(input.concat(output));
      }
      trace.add({ arrivalMs, inputTokens, outputTokens });
    };
  },
};

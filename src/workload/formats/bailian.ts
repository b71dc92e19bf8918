import { ChainInterner } from "../chain-interner.js";
import { atLeastZero, blockIds, FieldError, wholeNumber } from "./fields.js";
import type { JsonLinesFormat } from "./format.js";

const BLOCK_TOKENS = 16;
const NO_PARENT = -1;

/**
 * Times in seconds; `hash_ids` are the prompt's blocks, `parent_chat_id` the turn before. A chat whose parent
 * is not in the trace begins a session of its own.
 */
export const bailian: JsonLinesFormat = {
  kind: "jsonl",
  name: "bailian",
  summary: "timestamp (s), lengths, chat turns and 16-token blocks, one JSON object a line",
  source: "alibaba-edu/qwen-bailian-usagetraces-anon",
  fields: ["chat_id", "timestamp", "input_length", "output_length"],
  blockTokens: BLOCK_TOKENS,
  openReader(trace) {
    const interner = new ChainInterner(trace.blocks);
    const sessionOfChat = new Map<number, number>();
    let sessions = 0;
    return (record) => {
      const chat = chatId("chat_id", record["chat_id"], 0);
      const parent = chatId("parent_chat_id", record["parent_chat_id"] ?? NO_PARENT, NO_PARENT);
      const arrivalMs = atLeastZero("timestamp", record["timestamp"]) * 1000;
      const inputTokens = wholeNumber("input_length", record["input_length"], 1);
      const outputTokens = wholeNumber("output_length", record["output_length"], 0);
      const ids = blockIds("hash_ids", record["hash_ids"] ?? [], inputTokens, BLOCK_TOKENS);
      interner.append(ids);
      const session = sessionOfChat.get(parent) ?? sessions++;
      sessionOfChat.set(chat, session);
      trace.add({ arrivalMs, inputTokens, outputTokens, session });
    };
  },
};

function chatId(field: string, value: unknown, minimum: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= minimum) return value as number;
  throw new FieldError(field, value, `a whole number of at least ${minimum}`);
}

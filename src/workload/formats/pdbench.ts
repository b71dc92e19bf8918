import { ChainInterner } from "../chain-interner.js";
import type { TraceRows } from "../trace-rows.js";
import { atLeastZero, blockIds, FieldError, wholeNumber } from "./fields.js";
import type { JsonLinesFormat, JsonRecord } from "./format.js";
import { SessionNumbers } from "./session-numbers.js";

/**
 * pdbench's own format: what `trace convert`, `trace generate` and `proxy --record` write. Times in seconds
 * and exact, unless `arrival_tick_s` states their resolution; `block_ids` are chained and may cover the output;
 * `think_s` is the think time before a later turn of `session`.
 */
export const pdbench: JsonLinesFormat = {
  kind: "jsonl",
  name: "pdbench",
  summary:
    "arrival_s, lengths, optional block_ids, session, priority and cancel_after_s, one JSON object a line",
  source: "pdbench trace convert, trace generate and proxy --record",
  fields: ["arrival_s", "input_tokens", "output_tokens"],
  blockTokens: 16,
  openReader(trace) {
    const interner = new ChainInterner(trace.blocks);
    const sessions = new SessionNumbers();
    trace.tickMs = 0;
    return (record) => {
      const arrivalMs = milliseconds("arrival_s", record["arrival_s"]);
      const inputTokens = wholeNumber("input_tokens", record["input_tokens"], 1);
      const outputTokens = wholeNumber("output_tokens", record["output_tokens"], 0);
      const tickMs =
        optional(record["arrival_tick_s"], (value) => milliseconds("arrival_tick_s", value)) ?? 0;
      const priority = optional(record["priority"], (value) => priorityIn(value));
      const cancelAfterMs = optional(record["cancel_after_s"], (value) =>
        milliseconds("cancel_after_s", value),
      );
      const thinkMs = optional(record["think_s"], (value) => milliseconds("think_s", value));
      const session = optional(record["session"], sessionName);
      const ids = idsOf(trace, record, inputTokens, outputTokens);
      interner.append(ids);
      if (ids.length > Math.ceil(inputTokens / trace.blockTokens)) trace.coversOutput = true;
      trace.tickMs = Math.max(trace.tickMs ?? 0, tickMs);
      trace.add({
        arrivalMs,
        inputTokens,
        outputTokens,
        session: session === undefined ? -1 : sessions.numberOf(session),
        ...(priority !== undefined && { priority }),
        ...(cancelAfterMs !== undefined && { cancelAfterMs }),
        ...(thinkMs !== undefined && { thinkMs }),
      });
    };
  },
};

/** Blocks have one size in the whole trace: that of the first request that has any. */
function idsOf(trace: TraceRows, record: JsonRecord, input: number, output: number): readonly number[] {
  if (record["block_ids"] === undefined || record["block_ids"] === null) return [];
  const blockTokens = wholeNumber("block_tokens", record["block_tokens"], 1);
  if (trace.blocks.distinct > 0 && blockTokens !== trace.blockTokens) {
    throw new FieldError("block_tokens", blockTokens, `${trace.blockTokens}, as in the lines before`);
  }
  const ids = blockIds("block_ids", record["block_ids"], input + output, blockTokens);
  trace.blockTokens = blockTokens;
  return ids;
}

/** Seconds, read to the nanosecond: 4.314579 s is 4314.579 ms, not 4314.579000000001. */
function milliseconds(field: string, value: unknown): number {
  return Math.round(atLeastZero(field, value) * 1e9) / 1e6;
}

/** Absent and null both mean "none". */
function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function priorityIn(value: unknown): number {
  if (typeof value === "number" && (value | 0) === value) return value;
  throw new FieldError("priority", value, "a whole number");
}

function sessionName(value: unknown): string | number {
  if ((typeof value === "string" && value !== "") || typeof value === "number") return value;
  throw new FieldError("session", value, "a name");
}

import { isObject, type JsonObject } from "./generation-api.js";

/** `usage` of an answer; null where a member is absent. */
export interface AnswerUsage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
}

/** What one JSON document of an answer says: a whole answer, or one event of a stream. */
export interface AnswerPart {
  /** Tokens it carries, as far as a client can tell: an event of text is one, token ids count each. */
  readonly tokens: number;
  /** Those tokens were counted by their ids, so that several in one event count each. */
  readonly hasTokenIds: boolean;
  readonly usage: AnswerUsage | null;
  /** Message of the error it is, or null. */
  readonly error: string | null;
}

const NOTHING: AnswerPart = { tokens: 0, hasTokenIds: false, usage: null, error: null };

/**
 * Reads an event of a stream (the text behind `data:`), or a whole answer. What is not JSON says nothing.
 *
 * A chat chunk with only a role, a chunk with only a finish reason, and the usage chunk carry no token. An
 * empty text without a finish reason does: it is a token that has not made up a character yet.
 */
export function readAnswerPart(text: string): AnswerPart {
  if (text === "[DONE]") return NOTHING;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return NOTHING;
  }
  if (!isObject(parsed)) return NOTHING;
  const choices: readonly unknown[] = Array.isArray(parsed["choices"]) ? parsed["choices"] : [];
  let tokens = 0;
  let hasTokenIds = false;
  for (const choice of choices) {
    if (!isObject(choice)) continue;
    tokens += tokensOf(choice);
    hasTokenIds ||= hasIds(choice);
  }
  return { tokens, hasTokenIds, usage: usageOf(parsed["usage"]), error: errorOf(parsed) };
}

function hasIds({ token_ids: ids }: JsonObject): boolean {
  return Array.isArray(ids) && ids.length > 0;
}

function tokensOf(choice: JsonObject): number {
  const { token_ids: ids, text, delta, finish_reason: reason } = choice;
  if (hasIds(choice)) return (ids as readonly unknown[]).length;
  if (typeof text === "string") return text !== "" || reason == null ? 1 : 0;
  if (!isObject(delta)) return 0;
  const { content, role, reasoning_content: reasoning, reasoning: thought, tool_calls: calls } = delta;
  const said = [content, reasoning, thought].some((part) => typeof part === "string" && part !== "");
  if (said || (Array.isArray(calls) && calls.length > 0)) return 1;
  return content === "" && role === undefined && reason == null ? 1 : 0;
}

function usageOf(usage: unknown): AnswerUsage | null {
  if (!isObject(usage)) return null;
  const details = usage["prompt_tokens_details"];
  return {
    promptTokens: countOf(usage["prompt_tokens"] ?? usage["input_tokens"]),
    completionTokens: countOf(usage["completion_tokens"] ?? usage["output_tokens"]),
    cachedTokens: isObject(details) ? countOf(details["cached_tokens"]) : null,
  };
}

function countOf(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : null;
}

function errorOf(document: JsonObject): string | null {
  const { error, object, message } = document;
  if (isObject(error)) return typeof error["message"] === "string" ? error["message"] : JSON.stringify(error);
  if (typeof error === "string") return error;
  return object === "error" ? String(message) : null;
}

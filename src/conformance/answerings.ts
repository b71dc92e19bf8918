import type { ServerResponse } from "node:http";
import { shapeOf, tokensOf, type Body, type Usage } from "./answer-shapes.js";
import type { KitDialect } from "./dialects/kit-dialect.js";
import type { Answering } from "./kit-engine.js";
import type { Leg } from "./wire.js";

/** Tokens of an answer whose request names no limit. */
export const DEFAULT_TOKENS = 4;
export const PROMPT_TOKENS = 8;
/** What prefill engines report as found in their cache. Decode engines report the whole prompt, as vLLM's do. */
export const PREFILL_CACHED = 3;

/** Answers as vLLM does: with what the request asked for, or 400 where vLLM would refuse it. */
export function likeVllm(dialect: KitDialect): Answering {
  return (leg, response) => {
    const complaint = complaintOf(leg);
    if (complaint !== null) {
      sendError(response, 400, complaint);
      return;
    }
    const tokens = tokensOf(leg, tokenCount(leg));
    if (leg.json!["stream"] === true) {
      beginStream(response);
      writeEvents(leg, response, tokens);
      endStream(leg, response, tokens.length);
    } else sendDocument(dialect, leg, response, tokens);
  };
}

/** Tokens that a request gets. */
export function tokenCount(leg: Leg): number {
  const limit = shapeOf(leg).limit(leg.json!);
  return typeof limit === "number" ? limit : DEFAULT_TOKENS;
}

/** Why vLLM would refuse a request, or null. */
function complaintOf(leg: Leg): string | null {
  const { json } = leg;
  if (json === null) return "the body is not a JSON object";
  const shape = shapeOf(leg);
  const limit = shape.limit(json);
  const minTokens = shape.minTokens(json);
  if (typeof limit === "number" && limit < 1) return `max_tokens must be at least 1, got ${limit}`;
  if (typeof limit === "number" && typeof minTokens === "number" && minTokens > limit) {
    return `min_tokens must be less than or equal to max_tokens=${limit}, got ${minTokens}`;
  }
  if ((json["stream_options"] ?? null) !== null && json["stream"] !== true) {
    return "Stream options can only be defined when `stream=True`";
  }
  return null;
}

export function sendDocument(
  dialect: KitDialect,
  leg: Leg,
  response: ServerResponse,
  tokens: readonly string[],
): void {
  const members = leg.role === "prefill" ? dialect.prefillReply(leg) : "";
  const text = shapeOf(leg).document(tokens, usageOf(leg, tokens.length), members);
  sendJson(response, 200, text);
}

export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "x-worker-id": "w" });
  response.flushHeaders();
}

/** @param finishes The last token is the answer's last, and says why it ends. */
export function writeEvents(
  leg: Leg,
  response: ServerResponse,
  tokens: readonly string[],
  finishes = true,
): void {
  const shape = shapeOf(leg);
  const opening = shape.opening();
  if (opening !== null) response.write(`data: ${opening}\n\n`);
  tokens.forEach((token, i) => {
    response.write(`data: ${shape.event(token, finishes && i === tokens.length - 1)}\n\n`);
  });
}

/** The event with the usage, where the client asked for it, and the end. */
export function endStream(leg: Leg, response: ServerResponse, tokens: number): void {
  const options = leg.json!["stream_options"] as Body | null | undefined;
  if (options?.["include_usage"] === true) {
    response.write(`data: ${shapeOf(leg).usageEvent(usageOf(leg, tokens))}\n\n`);
  }
  response.end("data: [DONE]\n\n");
}

function usageOf({ role }: Leg, completion: number): Usage {
  return {
    prompt_tokens: PROMPT_TOKENS,
    completion_tokens: completion,
    total_tokens: PROMPT_TOKENS + completion,
    prompt_tokens_details: { cached_tokens: role === "prefill" ? PREFILL_CACHED : PROMPT_TOKENS },
  };
}

export function sendJson(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** The error object that vLLM and OpenAI share. */
export function sendError(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = status < 500 ? "BadRequestError" : "InternalServerError";
  sendJson(
    response,
    status,
    JSON.stringify({ error: { message, type, param: null, code: status } }),
    headers,
  );
}

/** Refuses with a status, and a message by which the client's answer shows where it came from. */
export function refusing(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answering {
  return (_, response) => {
    sendError(response, status, message, headers);
  };
}

/** Closes the connection without an answer, as an engine that has just died. */
export const dying: Answering = (_, response) => {
  response.socket?.resetAndDestroy();
};

/** Something that a case lets happen, once. */
export class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

/** Waits for the gate and answers then, unless the router has left. */
export function after(gate: Gate, then: Answering): Answering {
  return async (leg, response) => {
    await gate.opened;
    if (!response.destroyed) await then(leg, response);
  };
}

/** Answers the first request in one way, and those after it in another. */
export function first(once: Answering, then: Answering): Answering {
  let isFirst = true;
  return (leg, response) => {
    const answering = isFirst ? once : then;
    isFirst = false;
    return answering(leg, response);
  };
}

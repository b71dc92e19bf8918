import { exchangeIn, type Leg } from "./wire.js";

/** A route that generates tokens, and the form of its answers. Strings are JSON. */
export interface AnswerShape {
  readonly path: string;
  /** Most tokens a request wants, or null when it names no limit. */
  limit(body: Body): unknown;
  minTokens(body: Body): unknown;
  /** @param members further members of the answer, each with a comma in front */
  document(tokens: readonly string[], usage: Usage, members: string): string;
  /** The event in front of the first token, or null. */
  opening(): string | null;
  event(token: string, isLast: boolean): string;
  usageEvent(usage: Usage): string;
}

export type Body = Readonly<Record<string, unknown>>;

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

const HEAD = '"id":"cmpl-conformance","created":1700000000,"model":"conformance"';

const chat: AnswerShape = {
  path: "/v1/chat/completions",
  limit: (body) => body["max_completion_tokens"] ?? body["max_tokens"] ?? null,
  minTokens: (body) => body["min_tokens"] ?? 0,
  document: (tokens, usage, members) =>
    `{${HEAD},"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":${JSON.stringify(tokens.join(""))}},` +
    `"logprobs":null,"finish_reason":"length"}],"usage":${JSON.stringify(usage)}${members}}`,
  opening: () =>
    `{${HEAD},"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`,
  event: (token, isLast) =>
    `{${HEAD},"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":${JSON.stringify(token)}},"finish_reason":${reason(isLast)}}]}`,
  usageEvent: (usage) =>
    `{${HEAD},"object":"chat.completion.chunk","choices":[],"usage":${JSON.stringify(usage)}}`,
};

const completions: AnswerShape = {
  path: "/v1/completions",
  limit: (body) => body["max_tokens"] ?? null,
  minTokens: (body) => body["min_tokens"] ?? 0,
  document: (tokens, usage, members) =>
    `{${HEAD},"object":"text_completion","choices":[{"index":0,"text":${JSON.stringify(tokens.join(""))},"logprobs":null,"finish_reason":"length"}],` +
    `"usage":${JSON.stringify(usage)}${members}}`,
  opening: () => null,
  event: (token, isLast) =>
    `{${HEAD},"object":"text_completion","choices":[{"index":0,"text":${JSON.stringify(token)},"logprobs":null,"finish_reason":${reason(isLast)}}]}`,
  usageEvent: (usage) => `{${HEAD},"object":"text_completion","choices":[],"usage":${JSON.stringify(usage)}}`,
};

const responses: AnswerShape = {
  path: "/v1/responses",
  limit: (body) => body["max_output_tokens"] ?? null,
  minTokens: () => 0,
  document: (tokens, usage, members) =>
    `{"id":"resp_conformance","object":"response","created_at":1700000000,"model":"conformance","status":"completed",` +
    `"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":${JSON.stringify(tokens.join(""))}}]}],` +
    `"usage":${JSON.stringify(usage)}${members}}`,
  opening: () => null,
  event: (token) => `{"type":"response.output_text.delta","delta":${JSON.stringify(token)}}`,
  usageEvent: (usage) => `{"type":"response.completed","response":{"usage":${JSON.stringify(usage)}}}`,
};

const generate: AnswerShape = {
  path: "/inference/v1/generate",
  limit: (body) => samplingOf(body)["max_tokens"] ?? null,
  minTokens: (body) => samplingOf(body)["min_tokens"] ?? 0,
  document: (tokens, usage, members) =>
    `{"request_id":"generate-conformance","choices":[{"index":0,"token_ids":[${tokens.map((_, i) => 100 + i).join()}],` +
    `"logprobs":null,"finish_reason":"length"}],"usage":${JSON.stringify(usage)}${members}}`,
  opening: () => null,
  event: (_token, isLast) =>
    `{"request_id":"generate-conformance","choices":[{"index":0,"token_ids":[100],"finish_reason":${reason(isLast)}}]}`,
  usageEvent: (usage) =>
    `{"request_id":"generate-conformance","choices":[],"usage":${JSON.stringify(usage)}}`,
};

const SHAPES: readonly AnswerShape[] = [chat, completions, responses, generate];

/** The shape of a route's answers. */
export function shapeOf({ url }: Pick<Leg, "url">): AnswerShape {
  const path = url.split("?")[0]!;
  return SHAPES.find((shape) => shape.path === path) ?? completions;
}

function samplingOf(body: Body): Body {
  const sampling = body["sampling_params"];
  return typeof sampling === "object" && sampling !== null ? (sampling as Body) : {};
}

function reason(isLast: boolean): string {
  return isLast ? '"length"' : "null";
}

/** The text of an exchange's tokens: each names its exchange, so that none can be taken for another's. */
export function tokensOf(leg: Pick<Leg, "url" | "body">, count: number): string[] {
  const exchange = exchangeIn(leg);
  return Array.from({ length: count }, (_, i) => ` t${exchange}.${i};`);
}

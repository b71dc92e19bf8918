import { asText, type PromptTokens } from "./prompt-tokens.js";

export const ENDPOINTS = ["completions", "chat", "generate"] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

export const PROMPT_FORMS = ["ids", "text"] as const;
export type PromptForm = (typeof PROMPT_FORMS)[number];

export interface BodySettings {
  readonly endpoint: Endpoint;
  /** `chat` is always text, `generate` always ids. */
  readonly promptForm: PromptForm;
  readonly model: string;
}

export const ENDPOINT_PATHS: Readonly<Record<Endpoint, string>> = {
  completions: "/v1/completions",
  chat: "/v1/chat/completions",
  generate: "/inference/v1/generate",
};

/**
 * The body of one request: a stream of exactly `outputTokens` tokens (the model's own end is ignored), with
 * usage at its end.
 */
export function requestBody(settings: BodySettings, ids: readonly number[], outputTokens: number): string {
  const { endpoint, promptForm } = settings;
  const model = JSON.stringify(settings.model);
  if (endpoint === "generate") {
    return (
      `{"model":${model},"token_ids":[${ids.join(",")}],"stream":true,"stream_options":{"include_usage":true},` +
      `"sampling_params":{"max_tokens":${outputTokens},"ignore_eos":true,"temperature":0}}`
    );
  }
  const rest =
    `"max_tokens":${outputTokens},"ignore_eos":true,"temperature":0,"stream":true,` +
    `"stream_options":{"include_usage":true}}`;
  if (endpoint === "chat") {
    return `{"model":${model},"messages":[{"role":"user","content":"${asText(ids)}"}],${rest}`;
  }
  const prompt = promptForm === "ids" ? `[${ids.join(",")}]` : `"${asText(ids)}"`;
  return `{"model":${model},"prompt":${prompt},${rest}`;
}

/** Bodies of the requests to come, written ahead of their time where there is time. */
export class BodyStore {
  private readonly prompts: PromptTokens;
  private readonly settings: BodySettings;
  private readonly outputTokens: Int32Array;
  private readonly ready = new Map<number, Buffer>();
  private nextRow = 0;

  constructor(prompts: PromptTokens, settings: BodySettings, outputTokens: Int32Array) {
    this.prompts = prompts;
    this.settings = settings;
    this.outputTokens = outputTokens;
  }

  /** Writes the next body if fewer than `ahead` are ready; false when there is none to write. */
  prepareOne(ahead: number): boolean {
    if (this.ready.size >= ahead || this.nextRow >= this.outputTokens.length) return false;
    const row = this.nextRow++;
    this.ready.set(row, this.write(row));
    return true;
  }

  take(row: number): Buffer {
    const body = this.ready.get(row) ?? this.write(row);
    this.ready.delete(row);
    this.nextRow = Math.max(this.nextRow, row + 1);
    return body;
  }

  private write(row: number): Buffer {
    // A trace may tell of requests that generated nothing; a server generates at least one token.
    const outputTokens = Math.max(1, this.outputTokens[row]!);
    return Buffer.from(requestBody(this.settings, this.prompts.ids(row), outputTokens));
  }
}

import { asDigits, asText, type PromptTokens } from "./prompt-tokens.js";

export const ENDPOINTS = ["completions", "chat", "generate"] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

export const PROMPT_FORMS = ["ids", "text"] as const;
export type PromptForm = (typeof PROMPT_FORMS)[number];

export interface BodySettings {
  readonly endpoint: Endpoint;
  /** `chat` is always text, `generate` always ids. */
  readonly promptForm: PromptForm;
  readonly model: string;
  /**
   * Asks for the ids of the tokens that each event carries (vLLM's `return_token_ids`); default: no. `generate`
   * has them always. vLLM also gives the prompt's ids back, in the first event.
   */
  readonly asksTokenIds?: boolean;
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
export function requestBody(settings: BodySettings, ids: readonly number[], outputTokens: number): Buffer {
  const { endpoint, promptForm, asksTokenIds = false } = settings;
  const model = JSON.stringify(settings.model);
  if (endpoint === "generate") {
    return around(
      `{"model":${model},"token_ids":[`,
      asDigits(ids),
      `],"stream":true,"stream_options":{"include_usage":true},` +
        `"sampling_params":{"max_tokens":${outputTokens},"ignore_eos":true,"temperature":0}}`,
    );
  }
  const rest =
    `"max_tokens":${outputTokens},"ignore_eos":true,"temperature":0,"stream":true,` +
    `"stream_options":{"include_usage":true}${asksTokenIds ? ',"return_token_ids":true' : ""}}`;
  if (endpoint === "chat") {
    return around(`{"model":${model},"messages":[{"role":"user","content":"`, asText(ids), `"}],${rest}`);
  }
  return promptForm === "ids"
    ? around(`{"model":${model},"prompt":[`, asDigits(ids), `],${rest}`)
    : around(`{"model":${model},"prompt":"`, asText(ids), `",${rest}`);
}

function around(before: string, prompt: Buffer, after: string): Buffer {
  return Buffer.concat([Buffer.from(before), prompt, Buffer.from(after)]);
}

/** Bodies of the requests to come, written ahead of their time: a server's answers are late while one is written. */
export class BodyStore {
  private readonly prompts: PromptTokens;
  private readonly settings: BodySettings;
  private readonly outputTokens: Int32Array;
  private readonly ready = new Map<number, Buffer>();
  private readyBytes = 0;
  private nextRow = 0;

  constructor(prompts: PromptTokens, settings: BodySettings, outputTokens: Int32Array) {
    this.prompts = prompts;
    this.settings = settings;
    this.outputTokens = outputTokens;
  }

  /** Writes the next body if fewer than `aheadBytes` are ready; false when there is none to write. */
  prepareOne(aheadBytes: number): boolean {
    if (this.readyBytes >= aheadBytes || this.nextRow >= this.outputTokens.length) return false;
    const row = this.nextRow++;
    const body = this.write(row);
    this.ready.set(row, body);
    this.readyBytes += body.length;
    return true;
  }

  take(row: number): Buffer {
    const prepared = this.ready.get(row);
    if (prepared !== undefined) {
      this.ready.delete(row);
      this.readyBytes -= prepared.length;
    }
    const body = prepared ?? this.write(row);
    this.nextRow = Math.max(this.nextRow, row + 1);
    return body;
  }

  private write(row: number): Buffer {
    // A trace may tell of requests that generated nothing; a server generates at least one token.
    const outputTokens = Math.max(1, this.outputTokens[row]!);
    return requestBody(this.settings, this.prompts.ids(row), outputTokens);
  }
}

import { performance } from "node:perf_hooks";
import { createParser } from "eventsource-parser";
import { Pool } from "undici";
import { WorkError } from "../../errors.js";

/** What one streamed completion measured; times on the process clock, ms. */
export interface CompletionTimes {
  readonly sentMs: number;
  readonly firstTokenMs: number;
  readonly lastTokenMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

interface CompletionChunk {
  readonly choices?: readonly { readonly text?: string }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
}

/** A server with the OpenAI completions API. Every method throws WorkError naming the URL. */
export class OpenAiClient {
  private readonly url: string;
  private readonly pool: Pool;
  private readonly basePath: string;
  private readonly timeoutMs: number;

  /** @param timeoutMs longest wait for any part of an answer */
  constructor(url: string, connections: number, timeoutMs: number) {
    const parsed = new URL(url);
    this.url = url;
    this.basePath = parsed.pathname.replace(/\/(v1\/?)?$/, "");
    this.timeoutMs = timeoutMs;
    this.pool = new Pool(parsed.origin, { connections, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  }

  /** Name of the first model that the server serves. */
  async model(): Promise<string> {
    const text = await this.get("/v1/models");
    const list = JSON.parse(text) as { readonly data?: readonly { readonly id?: string }[] };
    const id = list.data?.[0]?.id;
    if (id === undefined) throw new WorkError(`${this.url}/v1/models: lists no model, expected at least one`);
    return id;
  }

  /** The Prometheus metrics, or null where the server has none. */
  async metrics(): Promise<string | null> {
    try {
      return await this.get("/metrics");
    } catch {
      return null;
    }
  }

  /** Streams one completion of exactly `outputTokens` tokens (`ignore_eos`, as vLLM has it). */
  async complete(model: string, prompt: string, outputTokens: number): Promise<CompletionTimes> {
    const body = JSON.stringify({
      model,
      prompt,
      max_tokens: outputTokens,
      temperature: 0,
      ignore_eos: true,
      stream: true,
      stream_options: { include_usage: true },
    });
    const sentMs = performance.now();
    const seen = { firstTokenMs: NaN, lastTokenMs: NaN, usage: null as CompletionChunk["usage"] };
    const parser = createParser({
      onEvent: ({ data }) => {
        if (data === "[DONE]") return;
        const chunk = JSON.parse(data) as CompletionChunk;
        if (chunk.usage) seen.usage = chunk.usage;
        if ((chunk.choices?.length ?? 0) === 0) return;
        seen.lastTokenMs = performance.now();
        if (Number.isNaN(seen.firstTokenMs)) seen.firstTokenMs = seen.lastTokenMs;
      },
    });
    const decoder = new TextDecoder();
    for await (const bytes of await this.post("/v1/completions", body)) {
      parser.feed(decoder.decode(bytes as Uint8Array, { stream: true }));
    }
    const { firstTokenMs, lastTokenMs } = seen;
    const { prompt_tokens, completion_tokens } = seen.usage ?? {};
    if (prompt_tokens === undefined || completion_tokens === undefined || Number.isNaN(firstTokenMs)) {
      throw new WorkError(
        `${this.url}/v1/completions: the stream has no tokens or no usage, expected both (stream_options.include_usage)`,
      );
    }
    return {
      sentMs,
      firstTokenMs,
      lastTokenMs,
      promptTokens: prompt_tokens,
      outputTokens: completion_tokens,
    };
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async get(path: string): Promise<string> {
    const { statusCode, body } = await this.send(path, "GET", null);
    const text = await body.text();
    if (statusCode !== 200) throw new WorkError(`${this.url}${path}: status ${statusCode}, expected 200`);
    return text;
  }

  private async post(path: string, json: string): Promise<AsyncIterable<unknown>> {
    const { statusCode, body } = await this.send(path, "POST", json);
    if (statusCode === 200) return body;
    const text = (await body.text()).slice(0, 200).replaceAll("\n", " ");
    throw new WorkError(`${this.url}${path}: status ${statusCode}, expected 200: ${text}`);
  }

  private async send(path: string, method: "GET" | "POST", body: string | null) {
    try {
      return await this.pool.request({
        path: this.basePath + path,
        method,
        ...(body !== null && { body, headers: { "content-type": "application/json" } }),
        signal: AbortSignal.timeout(this.timeoutMs),
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message || error.name : String(error);
      throw new WorkError(`${this.url}${path}: ${reason}, expected an OpenAI-compatible server`);
    }
  }
}

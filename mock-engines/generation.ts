import type { ServerResponse } from "node:http";
import type { EngineRank } from "./engine-rank.js";
import type { Fault } from "./faults.js";
import { ApiError } from "./http/api-error.js";
import type { Answer, Choice, GenerationApi, Usage } from "./http/generation-api.js";
import type { Leg, LegSpec } from "./leg.js";

/**
 * One answer on its way to the client: submits a leg for every choice, writes what comes, and takes everything
 * back when the client leaves. It ends in exactly one of four ways: answered, failed, left, or reset.
 */
export class Generation {
  private readonly api: GenerationApi;
  private readonly answer: Answer;
  private readonly rank: EngineRank;
  private readonly response: ServerResponse;
  private readonly fault: Fault;
  private readonly legs: Leg[] = [];
  private readonly stream: boolean;
  private open = 0;
  private over = false;
  private readonly onOver: () => void;

  /** @param onOver called once, when the answer has ended, however it ended */
  constructor(
    api: GenerationApi,
    answer: Answer,
    rank: EngineRank,
    response: ServerResponse,
    fault: Fault,
    onOver: () => void,
  ) {
    this.api = api;
    this.answer = answer;
    this.rank = rank;
    this.response = response;
    this.fault = fault;
    this.stream = answer.request.stream.on;
    this.onOver = onOver;
  }

  /**
   * Submits the legs, one per choice in order.
   *
   * @throws ApiError when the engine cannot serve one; nothing is left behind then
   */
  start(specs: readonly LegSpec[]): void {
    this.response.once("close", () => this.leave());
    this.open = specs.length;
    try {
      for (const [i, spec] of specs.entries()) this.submit(this.answer.choices[i]!, spec);
    } catch (error) {
      this.end();
      throw error;
    }
    // As vLLM: the status line of a stream does not wait for the first token.
    if (this.stream && !this.over && !this.response.headersSent) this.openStream();
  }

  /** Answers at once with nothing generated: less of the prompt is cached here than the client asked for. */
  decline(): void {
    for (const choice of this.answer.choices) choice.finishReason = "cache_threshold";
    const { api, answer } = this;
    if (this.stream) {
      this.openStream();
      for (const choice of answer.choices) {
        const opening = api.opening(answer, choice);
        if (opening !== null) this.event(opening);
        this.event(api.delta(answer, choice, 0, null));
      }
    }
    this.finish(null);
  }

  private submit(choice: Choice, spec: LegSpec): void {
    if (this.over) return;
    const sink = {
      onToken: () => this.token(choice),
      onEnd: () => this.legEnded(),
      onFailed: (_leg: Leg, error: ApiError) => this.fail(error),
    };
    this.legs.push(this.rank.submit(spec, sink));
  }

  private token(choice: Choice): void {
    if (this.over) return;
    const { api, answer } = this;
    const token = choice.emitted++;
    if (choice.emitted === choice.plan.ids.length) choice.finishReason = choice.plan.finishReason;
    if (this.stream) {
      if (!this.response.headersSent) this.openStream();
      const opening = token === 0 ? api.opening(answer, choice) : null;
      if (opening !== null) this.event(opening);
      const usage = answer.request.stream.continuousUsage ? this.usage() : null;
      this.event(api.delta(answer, choice, token, usage));
    }
    const { fault } = this;
    if (fault.kind === "midstream_reset" && choice.emitted === fault.tokens) this.reset();
  }

  private legEnded(): void {
    if (this.over || --this.open > 0) return;
    this.finish(this.legs.findLast((leg) => leg.responseParams !== null)?.responseParams ?? null);
  }

  private finish(kvTransferParams: object | null): void {
    const { api, answer, response } = this;
    const usage = this.usage();
    if (this.stream) {
      if (!response.headersSent) this.openStream();
      if (answer.request.stream.includeUsage) this.event(api.usage(answer, usage));
      response.end("data: [DONE]\n\n");
    } else {
      sendJson(response, 200, api.whole(answer, usage, kvTransferParams));
    }
    this.end();
  }

  /** An error before the first byte keeps its status; after it, it becomes an event of the stream. */
  private fail(error: ApiError): void {
    if (this.over) return;
    const { response } = this;
    if (response.headersSent) response.end(`data: ${error.body()}\n\ndata: [DONE]\n\n`);
    else sendJson(response, error.status, error.body());
    this.end();
  }

  private reset(): void {
    this.response.socket?.resetAndDestroy();
    this.end();
  }

  /** The connection is closed: where the answer was not complete, the client is gone. */
  private leave(): void {
    if (!this.over) this.end();
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    for (const leg of this.legs) this.rank.abort(leg);
    this.onOver();
  }

  private openStream(): void {
    this.response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
    });
    this.response.flushHeaders();
  }

  private event(json: string): void {
    this.response.write(`data: ${json}\n\n`);
  }

  /** Prompts count once, however many choices continue them; cached tokens are those of the first choice. */
  private usage(): Usage {
    const { request, choices } = this.answer;
    const promptTokens = request.prompts.reduce((sum, prompt) => sum + prompt.length, 0);
    const completionTokens = choices.reduce((sum, choice) => sum + choice.emitted, 0);
    const firsts = choices.flatMap((choice, i) =>
      choice.index % request.sampling.n === 0 ? [this.legs[i]] : [],
    );
    const cachedTokens = firsts.reduce((sum, leg) => sum + (leg?.cachedTokens ?? 0), 0);
    const usage = {
      prompt_tokens: promptTokens,
      total_tokens: promptTokens + completionTokens,
      completion_tokens: completionTokens,
    };
    // As vLLM with --enable-prompt-tokens-details, which leaves the field out where nothing was cached.
    if (cachedTokens === 0) return usage;
    return { ...usage, prompt_tokens_details: { cached_tokens: cachedTokens } };
  }
}

/** Answers with a JSON text. */
export function sendJson(response: ServerResponse, status: number, json: string): void {
  const body = Buffer.from(json);
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

import type { Dispatcher } from "undici";
import { readAnswerPart, type AnswerUsage } from "../proxy/openai-answer.js";

export type LiveOutcome = "completed" | "failed" | "cancelled";

/** What became of a request; it has ended. */
export interface LiveResult {
  readonly outcome: LiveOutcome;
  /** Why it failed, in few words that many requests share, e.g. `status 503`; null otherwise. */
  readonly failure: string | null;
  readonly firstTokenMs: number;
  readonly lastTokenMs: number;
  /** Tokens as counted from the stream; `usage` knows better where there is one. */
  readonly tokens: number;
  /** Every one of them was counted by its id; false where an event of text counts as one token. */
  readonly areCountedById: boolean;
  /** Gaps between successive tokens, ms. */
  readonly gapsMs: readonly number[];
  readonly usage: AnswerUsage | null;
  /** Response headers, names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

const LF = 0x0a;
const CR = 0x0d;
const DATA = Buffer.from("data:");

/**
 * One streamed request, timed at the socket: the instant of a token is when the bytes that end its event were
 * read, whatever is done with them after. Several tokens in one read have no gap between them.
 */
export class LiveRequest implements Dispatcher.DispatchHandler {
  private readonly nowMs: () => number;
  private readonly onEnd: (result: LiveResult) => void;
  private controller: Dispatcher.DispatchController | null = null;
  private ending: { readonly outcome: LiveOutcome; readonly failure: string | null } | null = null;
  private ended = false;
  private status = 0;
  private headers: Readonly<Record<string, string | string[] | undefined>> = {};
  /** The beginning of a line whose end has not come. */
  private partial: Buffer = Buffer.alloc(0);
  private firstTokenMs = Number.NaN;
  private lastTokenMs = Number.NaN;
  private tokens = 0;
  private tokensWithId = 0;
  private readonly gapsMs: number[] = [];
  private usage: AnswerUsage | null = null;
  private error: string | null = null;

  /** @param onEnd Called exactly once. */
  constructor(nowMs: () => number, onEnd: (result: LiveResult) => void) {
    this.nowMs = nowMs;
    this.onEnd = onEnd;
  }

  /** Gives the request up; it ends with the outcome given here. */
  abort(outcome: LiveOutcome, failure: string | null): void {
    if (this.ended || this.ending !== null) return;
    this.ending = { outcome, failure };
    this.end(outcome, failure);
    this.controller?.abort(new Error(failure ?? outcome));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.ending !== null) controller.abort(new Error(this.ending.outcome));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.status = status;
    this.headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const atMs = this.nowMs();
    if (this.status !== 200) return;
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      this.line(
        this.partial.length === 0
          ? chunk.subarray(start, end)
          : Buffer.concat([this.partial, chunk.subarray(start, end)]),
        atMs,
      );
      this.partial = EMPTY;
      start = end + 1;
    }
    if (start < chunk.length) this.partial = Buffer.concat([this.partial, chunk.subarray(start)]);
  }

  onResponseEnd(): void {
    if (this.status !== 200) this.end("failed", `status ${this.status}`);
    else if (this.error !== null) this.end("failed", `error in the stream: ${this.error}`);
    else if (this.tokens === 0) this.end("failed", "an answer without a token");
    else this.end("completed", null);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.end("failed", (error as NodeJS.ErrnoException).code ?? error.message);
  }

  private line(line: Buffer, atMs: number): void {
    if (line.indexOf(DATA) !== 0) return;
    const end = line[line.length - 1] === CR ? line.length - 1 : line.length;
    const { tokens, hasTokenIds, usage, error } = readAnswerPart(
      line.toString("utf8", DATA.length, end).trimStart(),
    );
    this.usage = usage ?? this.usage;
    this.error = error ?? this.error;
    if (hasTokenIds) this.tokensWithId += tokens;
    for (let i = 0; i < tokens; i++) {
      if (this.tokens === 0) this.firstTokenMs = atMs;
      else this.gapsMs.push(atMs - this.lastTokenMs);
      this.lastTokenMs = atMs;
      this.tokens++;
    }
  }

  private end(outcome: LiveOutcome, failure: string | null): void {
    if (this.ended) return;
    this.ended = true;
    const { firstTokenMs, lastTokenMs, tokens, gapsMs, usage, headers } = this;
    const areCountedById = tokens > 0 && this.tokensWithId === tokens;
    const times = { firstTokenMs, lastTokenMs, tokens, areCountedById, gapsMs };
    this.onEnd({ outcome, failure, ...times, usage, headers });
  }
}

const EMPTY = Buffer.alloc(0);

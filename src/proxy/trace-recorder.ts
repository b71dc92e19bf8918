import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { createGzip, type Gzip } from "node:zlib";
import { createParser, type EventSourceParser } from "eventsource-parser";
import type { PrefixKey, RoutingRequest } from "../routing/types.js";
import type { RequestFacts, RequestObserver, RequestOutcome } from "./core.js";
import { readAnswerPart, type AnswerPart } from "./openai-answer.js";
import { CHARACTERS_PER_TOKEN } from "./prompt-reader.js";

/** Tokens of one recorded block: vLLM's default, so that a recorded prefix is as exact as an engine's cache. */
const BLOCK_TOKENS = 16;
/** A JSON answer is read at its end for its usage; a longer one is counted by the client's limit instead. */
const DOCUMENT_BYTES_MAX = 16 << 20;

interface Line {
  readonly facts: RequestFacts;
  readonly blockIds: number[];
  /** What of the answer is not read yet; null until its first byte. */
  reading: EventSourceParser | Buffer[] | null;
  bytes: number;
  tokens: number;
  promptTokens: number | null;
  completionTokens: number | null;
  /** The finished line; null while the request is open. */
  text: string | null;
}

/**
 * Writes what the proxy saw as a trace in pdbench's format, for simulate, sweep and replay: arrivals,
 * lengths, sessions and which prefixes are equal. No prompt is in it: a block of 16 tokens (64 characters
 * where a prompt is text) is a 53-bit hash, a session a number. Lines are in order of arrival.
 */
export class TraceRecorder implements RequestObserver {
  private readonly file: WriteStream;
  private readonly out: WriteStream | Gzip;
  /** Requests whose line is not written, in order of arrival. */
  private readonly pending = new Map<number, Line>();
  private readonly sessions = new Map<string, string>();
  private startMs: number | null = null;

  /** @param path Replaced when it exists; gzip when it ends in `.gz`. */
  constructor(path: string) {
    this.file = createWriteStream(path);
    if (path.endsWith(".gz")) {
      this.out = createGzip();
      this.out.pipe(this.file);
    } else this.out = this.file;
  }

  onRouted(facts: RequestFacts, request: RoutingRequest): void {
    if (facts.api === null || facts.decision.path === "rejected") return;
    this.startMs ??= facts.receivedMs;
    const isText = facts.promptTokens < request.prefix.length;
    this.pending.set(facts.id, {
      facts,
      blockIds: blockHashes(request.prefix, isText ? BLOCK_TOKENS * CHARACTERS_PER_TOKEN : BLOCK_TOKENS),
      reading: null,
      bytes: 0,
      tokens: 0,
      promptTokens: null,
      completionTokens: null,
      text: null,
    });
  }

  onAnswer({ id }: RequestFacts, status: number, chunk: Buffer): void {
    const line = this.pending.get(id);
    if (line === undefined || status >= 400) return;
    line.reading ??=
      chunk[0] === OPEN_BRACE
        ? []
        : createParser({ onEvent: ({ data }) => takeIn(line, readAnswerPart(data)) });
    line.bytes += chunk.length;
    if (!Array.isArray(line.reading)) line.reading.feed(chunk.toString());
    else if (line.bytes <= DOCUMENT_BYTES_MAX) line.reading.push(chunk);
  }

  onEnd({ id }: RequestFacts, outcome: RequestOutcome, _status: number, nowMs: number): void {
    const line = this.pending.get(id);
    if (line === undefined) return;
    if (Array.isArray(line.reading)) takeIn(line, readAnswerPart(Buffer.concat(line.reading).toString()));
    line.reading = null;
    line.text = this.textOf(line, outcome === "cancelled" ? nowMs : null);
    this.writeFinished();
  }

  /** Resolves when everything is in the file; requests that are still open are left out. */
  async close(): Promise<void> {
    for (const [id, { text }] of this.pending) if (text === null) this.pending.delete(id);
    this.writeFinished();
    this.out.end();
    await finished(this.file);
  }

  private writeFinished(): void {
    for (const [id, { text }] of this.pending) {
      if (text === null) return;
      this.out.write(`${text}\n`);
      this.pending.delete(id);
    }
  }

  private textOf(line: Line, cancelledMs: number | null): string {
    const { facts, blockIds } = line;
    const inputTokens = Math.max(1, line.promptTokens ?? facts.promptTokens);
    return JSON.stringify({
      arrival_s: seconds(facts.receivedMs - this.startMs!),
      input_tokens: inputTokens,
      output_tokens: line.completionTokens ?? line.tokens,
      block_ids: blockIds.slice(0, Math.ceil(inputTokens / BLOCK_TOKENS)),
      block_tokens: BLOCK_TOKENS,
      session: facts.sessionKey === null ? null : this.sessionName(facts.sessionKey),
      priority: facts.priority,
      cancel_after_s: cancelledMs === null ? null : seconds(cancelledMs - facts.receivedMs),
    });
  }

  private sessionName(key: string): string {
    let name = this.sessions.get(key);
    if (name === undefined) {
      name = `s${this.sessions.size}`;
      this.sessions.set(key, name);
    }
    return name;
  }
}

const OPEN_BRACE = 0x7b;

function takeIn(line: Line, { tokens, usage }: AnswerPart): void {
  line.tokens += tokens;
  line.promptTokens = usage?.promptTokens ?? line.promptTokens;
  line.completionTokens = usage?.completionTokens ?? line.completionTokens;
}

function seconds(ms: number): number {
  return Math.round(ms * 1e3) / 1e6;
}

/** A 53-bit hash of each block of symbols, the last one as long as it is: two lanes of MurmurHash3's mixing. */
export function blockHashes({ symbols, length }: PrefixKey, symbolsPerBlock: number): number[] {
  const hashes: number[] = [];
  for (let start = 0; start < length; start += symbolsPerBlock) {
    const end = Math.min(length, start + symbolsPerBlock);
    let low = 0x9747b28c ^ (end - start);
    let high = 0x85ebca6b;
    for (let i = start; i < end; i++) {
      low = Math.imul(low ^ symbols[i]!, 0xcc9e2d51);
      low ^= low >>> 15;
      high = Math.imul(high ^ low, 0x1b873593);
      high ^= high >>> 13;
    }
    hashes.push((finish(high) & 0x1fffff) * 4294967296 + (finish(low ^ high) >>> 0));
  }
  return hashes;
}

function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

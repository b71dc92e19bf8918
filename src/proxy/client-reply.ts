import type { ServerResponse } from "node:http";
import { errorDocument, errorEvent, type ProxyError } from "./error-body.js";
import { EventGate } from "./event-gate.js";
import { headerOf, headersToClient, type FlatHeaders } from "./headers.js";

/** What is done to an answer on its way through; bytes in, bytes out. */
export interface Rewriting {
  /** Put in front of a stream of events. */
  readonly head: Buffer | null;
  /** Whole server-sent events. */
  events(events: Buffer): Buffer;
  /** A whole JSON document. */
  document(document: Buffer): Buffer;
}

/**
 * The answer to a client: a worker's bytes as they come, or an error.
 *
 * The head is sent together with the first bytes of the body, so that a worker which fails before its first
 * byte still gives the client a proper status. After that, a broken event stream ends in an error event
 * without `[DONE]`, and any other body ends with its connection, which is the one way HTTP has to say so.
 */
export class ClientReply {
  private readonly res: ServerResponse;
  private head: { readonly status: number; readonly headers: FlatHeaders } | null = null;
  private gate: EventGate | null = null;
  private rewriting: Rewriting | null = null;
  /** A JSON answer that is to be rewritten, kept until its end. */
  private document: Buffer[] | null = null;
  private ended = false;

  constructor(res: ServerResponse) {
    this.res = res;
    // The worker's own Date goes through.
    res.sendDate = false;
  }

  get isEnded(): boolean {
    return this.ended;
  }

  /** True when a status has gone to the client. */
  get hasBegun(): boolean {
    return this.res.headersSent;
  }

  /**
   * A worker's status and headers have arrived; they replace those of a worker that has failed before its first
   * byte.
   *
   * @param added Headers of the proxy's own.
   * @param rewriting Null: the body goes through as it is.
   */
  start(
    status: number,
    rawHeaders: readonly (Buffer | string)[],
    added: FlatHeaders,
    rewriting: Rewriting | null,
  ): void {
    const headers = headersToClient(rawHeaders, rewriting === null);
    const type = headerOf(headers, "content-type") ?? "";
    const isPlain = headerOf(headers, "content-encoding") === undefined;
    const isStream = isPlain && type.startsWith("text/event-stream");
    const isDocument = isPlain && type.startsWith("application/json");
    this.head = { status, headers: [...headers, ...added] };
    this.gate = isStream ? new EventGate() : null;
    this.rewriting = null;
    this.document = null;
    if (rewriting === null || !(isStream || isDocument)) {
      this.head = { status, headers: [...headersToClient(rawHeaders, true), ...added] };
      return;
    }
    this.rewriting = rewriting;
    if (isDocument) this.document = [];
  }

  /** Passes a chunk on. False: the client is slow, wait for `drain` of the response. */
  data(chunk: Buffer): boolean {
    if (this.document !== null) {
      this.document.push(chunk);
      return true;
    }
    const bytes = this.gate === null ? chunk : this.gate.push(chunk);
    return bytes === null || this.write(bytes);
  }

  /** The worker's answer is complete. */
  end(): void {
    if (this.ended) return;
    if (this.document !== null) {
      const document = this.rewriting!.document(Buffer.concat(this.document));
      this.head!.headers.push("content-length", String(document.length));
      this.write(document);
    } else {
      const rest = this.gate?.flush() ?? null;
      if (rest !== null) this.write(rest);
    }
    this.sendHead();
    this.ended = true;
    this.res.end();
  }

  /** Ends the answer with an error, in the way its state still allows. */
  fail(error: ProxyError, added: FlatHeaders = []): void {
    if (this.ended) return;
    this.ended = true;
    if (!this.res.headersSent) {
      const body = errorDocument(error);
      this.res.sendDate = true;
      const length = String(Buffer.byteLength(body));
      this.res.writeHead(error.status, [
        ...["content-type", "application/json", "content-length", length],
        ...added,
      ]);
      this.res.end(body);
    } else if (this.gate !== null) {
      this.res.end(`${this.gate.isMidEvent ? "\n\n" : ""}${errorEvent(error)}`);
    } else this.res.destroy();
  }

  private write(bytes: Buffer): boolean {
    const isFirst = !this.res.headersSent;
    this.sendHead();
    if (this.rewriting === null || this.document !== null) return this.res.write(bytes);
    if (isFirst && this.rewriting.head !== null) this.res.write(this.rewriting.head);
    return this.res.write(this.rewriting.events(bytes));
  }

  private sendHead(): void {
    if (this.head === null || this.res.headersSent) return;
    this.res.writeHead(this.head.status, this.head.headers);
  }
}

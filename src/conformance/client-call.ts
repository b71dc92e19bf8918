import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { createParser } from "eventsource-parser";
import { CaseFailure } from "./findings.js";

/** What the kit's client sends. */
export interface ClientRequestOptions {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** One request to the router, and all that came back so far. */
export class ClientCall {
  readonly sent: ClientRequestOptions;
  status: number | null = null;
  rawHeaders: readonly string[] = [];
  /** `complete`: the whole answer came; `broken`: its connection ended before. */
  state: "open" | "complete" | "broken" = "open";
  private readonly chunks: Buffer[] = [];
  private readonly request: ClientRequest;
  private readonly timeoutMs: number;
  private response: IncomingMessage | null = null;
  private readonly watchers = new Set<() => void>();

  constructor(url: string, sent: ClientRequestOptions, timeoutMs: number) {
    this.sent = sent;
    this.timeoutMs = timeoutMs;
    const { hostname, port } = new URL(url);
    const length = Buffer.byteLength(sent.body);
    const framing = length === 0 && sent.method === "GET" ? [] : ["content-length", String(length)];
    this.request = httpRequest({
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port,
      method: sent.method,
      path: sent.path,
      agent: false,
      headers: ["host", new URL(url).host, ...sent.headers, ...framing],
    });
    this.request.on("response", (response) => this.onResponse(response));
    this.request.on("error", () => this.end("broken"));
    this.request.end(sent.body);
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  get bytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Closes the connection, as a client that has lost interest. */
  leave(): void {
    this.request.destroy();
  }

  /** Reads no more until `readOn`. */
  stopReading(): void {
    this.response?.pause();
  }

  readOn(): void {
    this.response?.resume();
  }

  /** Resolves when the answer is over. @throws CaseFailure when it is not in time */
  async over(): Promise<this> {
    await this.until(() => this.state !== "open", "the router's answer did not end");
    return this;
  }

  /** Resolves when the status is there. @throws CaseFailure when it is not in time */
  async begun(): Promise<this> {
    await this.until(() => this.status !== null || this.state !== "open", "the router did not answer");
    return this;
  }

  /** Resolves when `text` has arrived. @throws CaseFailure when it has not in time */
  async has(text: string): Promise<void> {
    await this.until(
      () => this.state !== "open" || this.text.includes(text),
      `the client did not get ${JSON.stringify(text)}`,
    );
  }

  private onResponse(response: IncomingMessage): void {
    this.response = response;
    this.status = response.statusCode!;
    this.rawHeaders = response.rawHeaders;
    response.on("data", (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.changed();
    });
    response.on("error", () => undefined);
    response.on("close", () => this.end(response.complete ? "complete" : "broken"));
    this.changed();
  }

  private end(state: "complete" | "broken"): void {
    if (this.state === "open") this.state = state;
    this.changed();
  }

  private changed(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  private until(condition: () => boolean, failure: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const watcher = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.watchers.delete(watcher);
        resolve();
      };
      const timer = setTimeout(() => {
        this.watchers.delete(watcher);
        reject(new CaseFailure(`${failure} within ${this.timeoutMs / 1000} s`));
      }, this.timeoutMs);
      this.watchers.add(watcher);
      watcher();
    });
  }
}

/** The `data` of each server-sent event in `text`; an event that is not complete is left out. */
export function eventsIn(text: string): string[] {
  const events: string[] = [];
  createParser({ onEvent: ({ data }) => events.push(data) }).feed(text);
  return events;
}

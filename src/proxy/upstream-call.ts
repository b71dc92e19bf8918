import type { Dispatcher } from "undici";
import type { Leg } from "../routing/types.js";

/** What happens on a call to a worker; after `onUpstreamEnd` or `onUpstreamError` nothing more comes. */
export interface UpstreamEvents {
  onUpstreamHeaders(leg: Leg, status: number, rawHeaders: readonly (Buffer | string)[]): void;
  /** False: pause until `resume`. */
  onUpstreamData(leg: Leg, chunk: Buffer): boolean;
  onUpstreamEnd(leg: Leg): void;
  onUpstreamError(leg: Leg, error: Error): void;
}

/** One request to one worker: undici's handler, with an abort that works at any moment. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  private readonly leg: Leg;
  private readonly events: UpstreamEvents;
  private controller: Dispatcher.DispatchController | null = null;
  private aborted = false;

  constructor(leg: Leg, events: UpstreamEvents) {
    this.leg = leg;
    this.events = events;
  }

  /** Cuts the connection. No event follows. */
  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    this.controller?.abort(new Error("the request was given up"));
  }

  resume(): void {
    this.controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    // Given up while the connection was being made.
    if (this.aborted) controller.abort(new Error("the request was given up"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.aborted || status < 200) return;
    this.events.onUpstreamHeaders(this.leg, status, flatHeaders(controller.rawHeaders ?? headers));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.aborted && !this.events.onUpstreamData(this.leg, chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (!this.aborted) this.events.onUpstreamEnd(this.leg);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.aborted) this.events.onUpstreamError(this.leg, error);
  }
}

const CONNECT_FAILURES = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Whether no connection could be made: the worker has seen nothing of the request. */
export function isConnectFailure(error: Error): boolean {
  return CONNECT_FAILURES.has((error as NodeJS.ErrnoException).code ?? "");
}

/** undici 7 gives HTTP/1 headers as a flat list of bytes; a record is what other versions may give. */
function flatHeaders(
  raw: readonly (Buffer | string)[] | Readonly<Record<string, string | string[] | undefined>>,
): readonly (Buffer | string)[] {
  if (Array.isArray(raw)) return raw as readonly (Buffer | string)[];
  return Object.entries(raw).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? ""]).flatMap((item: string) => [name, item]),
  );
}

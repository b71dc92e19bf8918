import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { Router } from "../routing/router.js";
import type { RouterConfig } from "../routing/router-config.js";
import type {
  Leg,
  LegDecision,
  LegOutcome,
  RouteDecision,
  RoutingRequest,
  WorkerSpec,
  WorkerStats,
} from "../routing/types.js";

/** First line of an event log: what the router was made of. */
export interface EventLogHead {
  readonly schema: "pdbench/events@1";
  readonly config: RouterConfig;
  readonly workers: readonly WorkerSpec[];
  readonly seed: number;
  /** Most workers at a time; absent = those there are. */
  readonly capacity?: number;
}

/** A request as it stands in the log: the symbols as base64 of little-endian 32-bit integers. */
export interface LoggedRequest extends Omit<RoutingRequest, "prefix"> {
  readonly prefix: { readonly symbols: string; readonly unitsPerSymbol: number; readonly totalUnits: number };
}

/** Every further line: one call to the router, in order, with its arguments and, for decisions, its result. */
export type LoggedCall =
  | { readonly call: "route"; readonly args: [LoggedRequest, number]; readonly result: RouteDecision }
  | { readonly call: "routeDecode"; readonly args: [number, number]; readonly result: LegDecision | null }
  | {
      readonly call: "rerouteLeg";
      readonly args: [LoggedRequest, Leg, LegOutcome, number, readonly number[]];
      readonly result: LegDecision | null;
    }
  | { readonly call: "onDispatched" | "onHeaders"; readonly args: [number, Leg, number] }
  | { readonly call: "onFirstToken"; readonly args: [number, number] }
  | { readonly call: "onLegEnd" | "onLegFailed"; readonly args: [number, Leg, LegOutcome, number] }
  | { readonly call: "onRequestEnd"; readonly args: [number, LegOutcome, number] }
  | { readonly call: "updateStats"; readonly args: [number, WorkerStats] }
  | { readonly call: "setHealthy"; readonly args: [number, boolean, number] }
  | { readonly call: "reconfigure"; readonly args: [RouterConfig] }
  | { readonly call: "addWorker"; readonly args: [WorkerSpec] }
  | { readonly call: "forgetWorker" | "removeWorker"; readonly args: [number] };

/**
 * A router that writes down every call made to it. A fresh `Router` given the same calls makes the same
 * decisions (`replayEventLog`). The log holds prompts, as symbols.
 */
export class LoggedRouter extends Router {
  private readonly file: WriteStream;
  private isRemoving = false;

  /** @param path File that the log is written to; replaced when it exists. */
  constructor(
    config: RouterConfig,
    workers: readonly WorkerSpec[],
    seed: number,
    capacity: number,
    path: string,
  ) {
    super(config, workers, seed, capacity);
    this.file = createWriteStream(path);
    this.write({ schema: "pdbench/events@1", config, workers, seed, capacity } satisfies EventLogHead);
  }

  /** Resolves when everything is in the file. */
  async closeLog(): Promise<void> {
    this.file.end();
    await finished(this.file);
  }

  override route(request: RoutingRequest, nowMs: number): RouteDecision {
    const logged = loggedRequest(request);
    const result = super.route(request, nowMs);
    this.log({ call: "route", args: [logged, nowMs], result });
    return result;
  }

  override routeDecode(requestId: number, nowMs: number): LegDecision | null {
    const result = super.routeDecode(requestId, nowMs);
    this.log({ call: "routeDecode", args: [requestId, nowMs], result });
    return result;
  }

  override rerouteLeg(
    request: RoutingRequest,
    leg: Leg,
    outcome: LegOutcome,
    nowMs: number,
    exclude: readonly number[],
  ): LegDecision | null {
    const logged = loggedRequest(request);
    const result = super.rerouteLeg(request, leg, outcome, nowMs, exclude);
    this.log({ call: "rerouteLeg", args: [logged, leg, outcome, nowMs, exclude], result });
    return result;
  }

  override onDispatched(...args: [number, Leg, number]): void {
    super.onDispatched(...args);
    this.log({ call: "onDispatched", args });
  }

  override onHeaders(...args: [number, Leg, number]): void {
    super.onHeaders(...args);
    this.log({ call: "onHeaders", args });
  }

  override onFirstToken(...args: [number, number]): void {
    super.onFirstToken(...args);
    this.log({ call: "onFirstToken", args });
  }

  override onLegEnd(...args: [number, Leg, LegOutcome, number]): void {
    super.onLegEnd(...args);
    this.log({ call: "onLegEnd", args });
  }

  override onLegFailed(...args: [number, Leg, LegOutcome, number]): void {
    super.onLegFailed(...args);
    this.log({ call: "onLegFailed", args });
  }

  override onRequestEnd(...args: [number, LegOutcome, number]): void {
    super.onRequestEnd(...args);
    this.log({ call: "onRequestEnd", args });
  }

  override updateStats(...args: [number, WorkerStats]): void {
    super.updateStats(...args);
    this.log({ call: "updateStats", args });
  }

  override setHealthy(...args: [number, boolean, number]): void {
    super.setHealthy(...args);
    this.log({ call: "setHealthy", args });
  }

  override forgetWorker(...args: [number]): void {
    super.forgetWorker(...args);
    if (!this.isRemoving) this.log({ call: "forgetWorker", args });
  }

  override reconfigure(config: RouterConfig): void {
    super.reconfigure(config);
    this.log({ call: "reconfigure", args: [config] });
  }

  /** The place is the router's own choice, so that a fresh router makes the same. */
  override addWorker(spec: WorkerSpec): number {
    const index = super.addWorker(spec);
    this.log({ call: "addWorker", args: [spec] });
    return index;
  }

  /** `forgetWorker` is part of it and not logged. */
  override removeWorker(worker: number): void {
    this.log({ call: "removeWorker", args: [worker] });
    this.isRemoving = true;
    super.removeWorker(worker);
    this.isRemoving = false;
  }

  private log(call: LoggedCall): void {
    this.write(call);
  }

  private write(line: EventLogHead | LoggedCall): void {
    this.file.write(`${JSON.stringify(line)}\n`);
  }
}

function loggedRequest(request: RoutingRequest): LoggedRequest {
  const { symbols, length, unitsPerSymbol, totalUnits } = request.prefix;
  const bytes = Buffer.from(symbols.buffer, symbols.byteOffset, length * 4);
  return { ...request, prefix: { symbols: bytes.toString("base64"), unitsPerSymbol, totalUnits } };
}

import { createEngine } from "../../src/engine/engine.js";
import type { EngineObserver } from "../../src/engine/observer.js";
import type {
  Engine,
  EngineConfig,
  EngineGauges,
  EngineListener,
  LegRequest,
  StepTimeModel,
} from "../../src/engine/types.js";

/** Something the engine said of a request. */
export interface LoggedEvent {
  readonly what: "scheduled" | "read" | "first" | "preempted" | "finished";
  readonly atMs: number;
  /** Cached tokens, tokens to read, or tokens generated; 0 otherwise. */
  readonly tokens: number;
  readonly reason: string;
}

export interface Submission {
  readonly atMs: number;
  readonly request: LegRequest;
  readonly abortAtMs?: number;
  /** How long the transfer of its KV takes, for requests that read or serve it. */
  readonly transferMs?: number;
}

export interface DriverSetup {
  readonly config: EngineConfig;
  readonly stepTime: StepTimeModel;
  readonly time: "fast" | "plain";
  readonly submissions: readonly Submission[];
  readonly observer?: EngineObserver;
  /** When to look at the gauges. */
  readonly gaugesAtMs?: readonly number[];
}

export interface Outcome {
  readonly engine: Engine;
  /** By request id, in order of time. */
  readonly events: Map<number, LoggedEvent[]>;
  /** All token gaps, sorted. */
  readonly gapsMs: number[];
  readonly gauges: EngineGauges[];
}

/** Runs requests through one engine and answers its transfers; ends when nothing is left to do. */
export function drive(setup: DriverSetup): Outcome {
  const events = new Map<number, LoggedEvent[]>();
  const gapsMs: number[] = [];
  const gauges: EngineGauges[] = [];
  const agenda: { atMs: number; act: () => void }[] = [];
  const at = (atMs: number, act: () => void) => {
    const later = agenda.findIndex((entry) => entry.atMs > atMs);
    agenda.splice(later < 0 ? agenda.length : later, 0, { atMs, act });
  };
  const log = (id: number, what: LoggedEvent["what"], atMs: number, tokens = 0, reason = "") => {
    const entry = { what, atMs, tokens, reason };
    const earlier = events.get(id);
    if (earlier === undefined) events.set(id, [entry]);
    else earlier.push(entry);
  };
  const submissionOf = new Map(setup.submissions.map((one) => [one.request.id, one]));
  const transferMs = (id: number) => submissionOf.get(id)?.transferMs ?? 0;

  const listener: EngineListener = {
    onScheduled: (id, atMs, cachedTokens) => log(id, "scheduled", atMs, cachedTokens),
    onKvReadStart: (id, atMs, tokens) => {
      log(id, "read", atMs, tokens);
      if (tokens > 0) at(atMs + transferMs(id), () => engine.kvArrived(id, atMs + transferMs(id)));
    },
    onFirstToken: (id, atMs) => log(id, "first", atMs),
    onPreempted: (id, atMs) => log(id, "preempted", atMs),
    onFinished: (id, atMs, reason, outputTokens) => {
      // A first token may be told ahead of its time, and is void if the request is aborted before.
      const told = events.get(id) ?? [];
      events.set(
        id,
        told.filter(({ what, atMs: toldMs }) => what !== "first" || toldMs <= atMs),
      );
      log(id, "finished", atMs, outputTokens, reason);
      const held = submissionOf.get(id)?.request.kvRole === "remote_decode" && reason !== "aborted";
      if (held) at(atMs + transferMs(id), () => engine.kvSent(id, atMs + transferMs(id)));
    },
    onTokenGaps: (firstMs, deltaMs, steps, sequences) => {
      for (let i = 0; i < steps * sequences; i++) gapsMs.push(firstMs + (i % steps) * deltaMs);
    },
  };
  const engine = createEngine(setup.config, setup.stepTime, listener, setup.time, setup.observer ?? null);
  for (const { atMs, request, abortAtMs } of setup.submissions) {
    if (engine.reject(request) !== null) continue;
    at(atMs, () => engine.submit(request, atMs));
    if (abortAtMs !== undefined) at(abortAtMs, () => engine.abort(request.id, abortAtMs));
  }
  for (const atMs of setup.gaugesAtMs ?? []) at(atMs, () => gauges.push(engine.gauges(atMs)));

  while (agenda.length > 0 || engine.nextEventMs() < Infinity) {
    const nowMs = Math.min(agenda[0]?.atMs ?? Infinity, engine.nextEventMs());
    while (agenda.length > 0 && agenda[0]!.atMs <= nowMs) agenda.shift()!.act();
    engine.advance(nowMs);
  }
  return { engine, events, gapsMs: gapsMs.sort((a, b) => a - b), gauges };
}

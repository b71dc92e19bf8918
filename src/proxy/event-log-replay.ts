import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { InputError } from "../errors.js";
import { Router } from "../routing/router.js";
import type { RoutingRequest } from "../routing/types.js";
import type { EventLogHead, LoggedCall, LoggedRequest } from "./event-log.js";

/** A decision that came out differently. */
export interface Divergence {
  /** Line of the log, from 1. */
  readonly line: number;
  readonly logged: unknown;
  readonly replayed: unknown;
}

export interface EventLogReplay {
  /** Calls of `route`, `routeDecode` and `rerouteLeg` that were compared. */
  readonly decisions: number;
  readonly divergences: readonly Divergence[];
  /** The router after the last call. */
  readonly router: Router;
}

/**
 * Makes the calls of an event log to a fresh router and compares every decision to the last field.
 *
 * @throws InputError when the file is no event log.
 */
export async function replayEventLog(path: string): Promise<EventLogReplay> {
  let router: Router | null = null;
  let line = 0;
  let decisions = 0;
  const divergences: Divergence[] = [];
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    line++;
    const parsed = JSON.parse(text) as EventLogHead | LoggedCall;
    if ("schema" in parsed) {
      const { config, workers, seed, capacity } = parsed;
      router = new Router(config, workers, seed, capacity);
    } else if (router === null) throw notALog(path);
    else if (!("result" in parsed)) notify(router, parsed);
    else {
      const replayed = decide(router, parsed);
      decisions++;
      // As text, since a figure that is not finite stands as null in the log.
      const isEqual = JSON.stringify(replayed) === JSON.stringify(parsed.result);
      if (!isEqual) divergences.push({ line, logged: parsed.result, replayed });
    }
  }
  if (router === null) throw notALog(path);
  return { decisions, divergences, router };
}

function notALog(path: string): InputError {
  return new InputError(
    `${path}: not an event log, expected the line {"schema":"pdbench/events@1",...} first`,
  );
}

type LoggedDecision = Extract<LoggedCall, { result: unknown }>;

function decide(router: Router, logged: LoggedDecision): unknown {
  switch (logged.call) {
    case "route":
      return router.route(requestOf(logged.args[0]), logged.args[1]);
    case "routeDecode":
      return router.routeDecode(...logged.args);
    case "rerouteLeg": {
      const [request, ...rest] = logged.args;
      return router.rerouteLeg(requestOf(request), ...rest);
    }
  }
}

function notify(router: Router, logged: Exclude<LoggedCall, LoggedDecision>): void {
  switch (logged.call) {
    case "onDispatched":
      router.onDispatched(...logged.args);
      break;
    case "onHeaders":
      router.onHeaders(...logged.args);
      break;
    case "onFirstToken":
      router.onFirstToken(...logged.args);
      break;
    case "onLegEnd":
      router.onLegEnd(...logged.args);
      break;
    case "onLegFailed":
      router.onLegFailed(...logged.args);
      break;
    case "onRequestEnd":
      router.onRequestEnd(...logged.args);
      break;
    case "updateStats":
      router.updateStats(...logged.args);
      break;
    case "setHealthy":
      router.setHealthy(...logged.args);
      break;
    case "reconfigure":
      router.reconfigure(...logged.args);
      break;
    case "addWorker":
      router.addWorker(...logged.args);
      break;
    case "removeWorker":
      router.removeWorker(...logged.args);
      break;
    case "forgetWorker":
      router.forgetWorker(...logged.args);
  }
}

function requestOf({ prefix, ...rest }: LoggedRequest): RoutingRequest {
  const bytes = Buffer.from(prefix.symbols, "base64");
  const symbols = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return { ...rest, prefix: { ...prefix, symbols, length: symbols.length } };
}

import type { Leg, LegOutcome } from "../../routing/types.js";
import { headerOf } from "../headers.js";
import { isRetryable, retryAfterMs } from "./retry-plan.js";

/** A leg that another worker might do better. */
export interface LegFailure {
  readonly outcome: LegOutcome;
  /** The worker has turned the leg away, so that a handle it was given is not used up. */
  readonly isUnstarted: boolean;
  /** The worker has seen nothing of the request. */
  readonly isUnsent: boolean;
  /** What the worker has asked for; null = nothing. */
  readonly retryAfterMs: number | null;
}

/** Statuses of a worker that has not begun. */
const UNSTARTED = new Set([429, 503]);

/** What a worker's status stands for; null when it is nothing to try again. */
export function legFailure(status: number, rawHeaders: readonly (Buffer | string)[]): LegFailure | null {
  if (!isRetryable(status)) return null;
  const headers = rawHeaders.map((item) => (typeof item === "string" ? item : item.toString("latin1")));
  return {
    outcome: "retryable",
    isUnstarted: UNSTARTED.has(status),
    isUnsent: false,
    retryAfterMs: retryAfterMs(headerOf(headers, "retry-after"), Date.now()),
  };
}

/** Which legs are chosen and sent anew. */
export type RetryScope = "prefill" | "decode" | "both";

/** What is known of the legs when one of them fails. */
export interface LegsNow {
  readonly hasPrefill: boolean;
  /** The prefill reply is there, and any decode worker can use it. */
  readonly hasHandle: boolean;
  readonly decodeIsSent: boolean;
}

/**
 * What has to be done again when `leg` has failed. A handle is good for one decode worker: it goes to
 * another one only if the first has not begun with it. Where both legs are under way they meet in a
 * rendezvous that is lost with one of them, so both begin anew.
 */
export function retryScope(leg: Leg, { isUnstarted }: LegFailure, legs: LegsNow): RetryScope {
  if (leg === "prefill") return legs.decodeIsSent ? "both" : "prefill";
  if (!legs.hasPrefill) return "decode";
  return legs.hasHandle && isUnstarted ? "decode" : "both";
}

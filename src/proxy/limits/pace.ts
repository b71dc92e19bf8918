import type { Leg } from "../../routing/types.js";
import type { LimitSettings } from "../resilience.js";

/** What a request is waiting for; times as its observer's clock has them. */
export interface Pace {
  readonly arrivedMs: number;
  /** When the last piece of the request's body came; null = it is complete. */
  readonly bodyMs: number | null;
  /** Since when the client has not taken what is there for it; null = it takes it. */
  readonly pausedMs: number | null;
  readonly legs: readonly LegPace[];
}

/** A leg that has a worker and has not ended. */
export interface LegPace {
  readonly leg: Leg;
  /** When its worker last said something, or was asked; Infinity before that. */
  readonly heardMs: number;
  /** When its worker, which was removed, has had its time; Infinity = never. */
  readonly cutMs: number;
}

/** What has taken too long. */
export type Overdue =
  | { readonly what: "body" | "slow_reader" | "request" }
  | { readonly what: "worker" | "removed_worker"; readonly leg: Leg };

/** The limit that a request has gone beyond, or null. A worker is not to blame while its client does not read. */
export function overdue(
  { arrivedMs, bodyMs, pausedMs, legs }: Pace,
  { bodyIdleTimeoutMs, slowReaderTimeoutMs, requestTimeoutMs, workerIdleTimeoutMs }: LimitSettings,
  nowMs: number,
): Overdue | null {
  if (requestTimeoutMs !== null && nowMs - arrivedMs >= requestTimeoutMs) return { what: "request" };
  if (bodyMs !== null) return nowMs - bodyMs >= bodyIdleTimeoutMs ? { what: "body" } : null;
  const cut = legs.find(({ cutMs }) => nowMs >= cutMs);
  if (cut !== undefined) return { what: "removed_worker", leg: cut.leg };
  if (pausedMs !== null) {
    const isOver = slowReaderTimeoutMs !== null && nowMs - pausedMs >= slowReaderTimeoutMs;
    return isOver ? { what: "slow_reader" } : null;
  }
  if (workerIdleTimeoutMs === null) return null;
  const silent = legs.find(({ heardMs }) => nowMs - heardMs >= workerIdleTimeoutMs);
  return silent === undefined ? null : { what: "worker", leg: silent.leg };
}

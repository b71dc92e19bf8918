import type { Leg } from "../routing/types.js";
import type { ProxyClock } from "./clock.js";
import type { ProxyCore, RequestFacts, RequestObserver, RequestOutcome } from "./core.js";
import type { ProcessLog } from "./process-log.js";

/**
 * Lines for the process log: how many requests and legs there were, at intervals (`--log-stats`), and every
 * request's end at the level `debug`.
 */
export class StatsLog implements RequestObserver {
  private readonly log: ProcessLog;
  private readonly ended = new Map<RequestOutcome, number>();
  private readonly legs: number[] = [];

  constructor(log: ProcessLog) {
    this.log = log;
  }

  /** Writes a line at every interval; the result stops it. */
  start(core: Pick<ProxyCore, "router" | "workers">, clock: ProxyClock, intervalMs: number): () => void {
    return clock.every(intervalMs, () => {
      this.log.say("info", this.line(core));
    });
  }

  onLegSent(_facts: RequestFacts, _leg: Leg, worker: number): void {
    this.legs[worker] = (this.legs[worker] ?? 0) + 1;
  }

  onEnd(facts: RequestFacts, outcome: RequestOutcome, status: number, nowMs: number): void {
    this.ended.set(outcome, (this.ended.get(outcome) ?? 0) + 1);
    if (!this.log.shows("debug")) return;
    const { requestId, path, decision, receivedMs } = facts;
    this.log.say(
      "debug",
      `${requestId} ${path} ${status} ${outcome} ${decision.path}/${decision.branch} ${(nowMs - receivedMs).toFixed(1)} ms`,
    );
  }

  private line({ router, workers }: Pick<ProxyCore, "router" | "workers">): string {
    const outcomes = [...this.ended].map(([outcome, count]) => `${count} ${outcome}`).join(", ");
    const each = workers.map(
      ({ id, leg }, index) => `${id} (${leg}) ${router.bookedLegs(index)} open of ${this.legs[index] ?? 0}`,
    );
    return `stats: requests ${outcomes === "" ? "none yet" : outcomes}; legs ${each.join(", ")}`;
  }
}

import type { RequestRecords, RunTotals } from "../measure/records.js";
import type { SimulationHooks } from "./hooks.js";
import { legBranchesOf } from "./leg-branches.js";
import { RequestWay, type Outlets } from "./request-way.js";
import type { Requests } from "./requests.js";
import type { FleetSetup } from "./setup.js";
import { Timeline } from "./timeline.js";

/** What makes time move; of what is due at one instant, the first of these comes first. */
const AGENDA = 0;
const TRANSFER = 1;
const SEND = 2;
const ENGINE = 3;

/**
 * One run. Time moves from event to event: what is due at one instant happens in the order agenda,
 * transfers, sends, engines by number (prefill engines first), so a request that arrives exactly when a step
 * ends takes part in the next step, as in vLLM's loop.
 */
export class Simulation {
  private readonly requests: Requests;
  private readonly hooks: SimulationHooks;
  private readonly way: RequestWay;
  private readonly timeline: Timeline;
  private events = 0;
  /** What `nextMs` found to come next. */
  private next = AGENDA;

  constructor(setup: FleetSetup, requests: Requests, hooks: SimulationHooks, outlets: Outlets) {
    this.requests = requests;
    this.hooks = hooks;
    this.way = new RequestWay(setup, requests, hooks, outlets);
    this.timeline = new Timeline(this.way.fleet.engines, setup.timelineIntervalMs);
  }

  /** As `RunTotals.branches`, so far. */
  get branchNames(): readonly string[] {
    return this.way.branches.names;
  }

  /** What was measured of the requests that have not been retired. */
  get records(): RequestRecords {
    return this.way.records;
  }

  run(): RunTotals {
    const { way, timeline } = this;
    const { stats } = way;
    while (way.ended < this.requests.count) {
      const nextMs = this.nextMs();
      if (nextMs === Infinity) {
        way.failDeadlocked();
        continue;
      }
      if (nextMs >= timeline.nextMs) timeline.sampleUntil(nextMs);
      if (nextMs >= stats.nextMs) stats.pollUntil(nextMs);
      this.happenAt(nextMs);
    }
    const result = this.result();
    // Transfers whose request was cancelled end after the last request.
    for (let nextMs = this.nextMs(); nextMs < Infinity; nextMs = this.nextMs()) this.happenAt(nextMs);
    const { engines, network } = way.fleet;
    this.hooks.onDrained?.({ engines, router: way.router, network });
    return result;
  }

  /** When something happens next, and in `next` what. */
  private nextMs(): number {
    const { agenda, fleet, arrivals } = this.way;
    let atMs = agenda.atMs();
    this.next = AGENDA;
    const transferMs = fleet.network.nextCompletionMs();
    if (transferMs < atMs) {
      atMs = transferMs;
      this.next = TRANSFER;
    }
    const sendMs = arrivals.atMs();
    if (sendMs < atMs) {
      atMs = sendMs;
      this.next = SEND;
    }
    const engineMs = fleet.nextMs();
    if (engineMs < atMs) {
      atMs = engineMs;
      this.next = ENGINE;
    }
    return atMs;
  }

  private happenAt(nowMs: number): void {
    const { way, next } = this;
    way.nowMs = nowMs;
    this.events++;
    if (next === ENGINE) way.fleet.advanceNext();
    else if (next === SEND) way.sendNext();
    else if (next === TRANSFER) way.completeTransfers();
    else way.takeFromAgenda();
  }

  private result(): RunTotals {
    const { way } = this;
    const { notes } = this.requests;
    this.timeline.sampleUntil(way.lastEndMs);
    way.requestGaps?.write();
    return {
      workers: way.fleet.records(),
      branches: way.branches.names,
      legBranches: legBranchesOf(way.router.branchCounts()),
      timeline: this.timeline.rows(),
      durationMs: way.lastEndMs - (this.requests.count > 0 ? way.firstSentMs : 0),
      events: this.events,
      steps: way.fleet.steps(),
      notes: way.deadlocked === 0 ? notes : [...notes, this.deadlockNote()],
    };
  }

  private deadlockNote(): string {
    return (
      `${this.way.deadlocked} requests failed in a deadlock of vLLM's scheduler: the head of a queue waited for KV ` +
      "blocks held by requests behind it."
    );
  }
}

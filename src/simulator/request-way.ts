import { WorkError } from "../errors.js";
import type { GapRunsBuilder } from "../measure/gap-runs-builder.js";
import type { RequestRecords } from "../measure/records.js";
import { createRouter, type RequestRouter } from "../routing/router-replicas.js";
import type { LegOutcome, RoutingRequest } from "../routing/types.js";
import { Agenda } from "./agenda.js";
import { Arrivals } from "./arrivals.js";
import { BranchNames } from "./branch-names.js";
import { EngineEvents } from "./engine-events.js";
import { Fleet } from "./fleet.js";
import type { SimulationHooks } from "./hooks.js";
import type { KvEventFeed } from "./kv-event-feed.js";
import { KvFeed } from "./kv-feed.js";
import {
  CANCEL,
  ENDED,
  FIRST_TOKEN,
  HAND_OVER,
  IN_DECODE,
  IN_PREFILL,
  LEAVING,
  RELEASE,
  SUBMIT_DECODE,
  SUBMIT_PREFILL,
  TO_DECODE,
  TO_PREFILL,
} from "./phases.js";
import { RequestGaps } from "./request-gaps.js";
import type { Requests } from "./requests.js";
import { RoutingRequests } from "./routing-requests.js";
import { RowWindow, type Retired } from "./row-window.js";
import type { FleetSetup } from "./setup.js";
import { StatsFeed } from "./stats-feed.js";

const COMPLETED = 0;
const FAILED = 1;
const CANCELLED = 2;
const PROGRESS_EVERY = 256;
const OUTCOMES: readonly LegOutcome[] = ["completed", "failed", "cancelled"];

/** What differs between runs that keep their requests and runs that do not. */
export interface Outlets {
  readonly gaps: Pick<GapRunsBuilder, "add">;
  readonly kvEvents: (nowMs: () => number) => KvEventFeed | null;
  readonly retired: Retired;
}

/**
 * A request's way from the client through router and engines and back, for all requests of a run: what each thing
 * that happens to one leads to, now or later, and what is measured of it. `Simulation` says what happens when.
 */
export class RequestWay {
  readonly agenda = new Agenda();
  readonly fleet: Fleet;
  readonly router: RequestRouter;
  readonly arrivals: Arrivals;
  readonly stats: StatsFeed;
  readonly requestGaps: RequestGaps | null;
  readonly window: RowWindow;
  nowMs = 0;
  ended = 0;
  firstSentMs = Infinity;
  lastEndMs = 0;
  readonly branches = new BranchNames();
  /** Requests that failed because an engine was locked up. */
  deadlocked = 0;

  private readonly setup: FleetSetup;
  private readonly requests: Requests;
  private readonly hooks: SimulationHooks;
  private readonly routing: RoutingRequests;
  private readonly kv: KvFeed;
  /** In place of `kv` where KV events are late or lost. */
  private readonly kvEvents: KvEventFeed | null;

  constructor(setup: FleetSetup, requests: Requests, hooks: SimulationHooks, outlets: Outlets) {
    this.setup = setup;
    this.requests = requests;
    this.hooks = hooks;
    this.kvEvents = outlets.kvEvents(() => this.nowMs);
    this.fleet = new Fleet(setup, new EngineEvents(this, outlets.gaps), this.kvEvents);
    this.router = createRouter(setup.router, this.fleet.workerSpecs(), setup.seed);
    this.arrivals = new Arrivals(requests);
    this.routing = new RoutingRequests(requests, hooks.pins);
    this.stats = new StatsFeed(this.router, this.fleet.engines, setup.signals);
    this.kv = new KvFeed(requests, this.router, this.fleet.engines);
    this.window = new RowWindow(requests.count, requests.mask, outlets.retired);
    this.requestGaps =
      hooks.requestGaps === true ? new RequestGaps(this.fleet.engines.length, this.records) : null;
  }

  /** What was measured of the requests that have not been retired. */
  get records(): RequestRecords {
    return this.window.rows.records;
  }

  // What happens ------------------------------------------------------------------------------------------

  sendNext(): void {
    const row = this.arrivals.take();
    this.window.fit(this.requests.mask);
    this.send(row);
  }

  completeTransfers(): void {
    const { nowMs } = this;
    const done = this.fleet.network.advance(nowMs);
    for (let d = 0; d < done.length; d++) {
      const row = done.at(d);
      const { records, readStartMs, pending, mask } = this.window.rows;
      const i = row & mask;
      records.kvTransferMs[i] = nowMs - readStartMs[i]!;
      this.fleet.transferred(row, records.prefillWorker[i]!, records.decodeWorker[i]!, nowMs);
      pending[i]!--;
      this.window.retireFrom(row);
    }
  }

  takeFromAgenda(): void {
    this.agenda.pop();
    const { kind, subject } = this.agenda;
    this.window.rows.pending[subject & this.window.rows.mask]!--;
    this.happen(kind, subject);
    this.window.retireFrom(subject);
  }

  /**
   * Nothing will happen by itself, yet requests are open. vLLM's scheduler can come to that: the request at
   * the head of a queue waits for blocks that one behind it holds, whose KV has arrived (priority policy, or
   * any in the 0.11 rules). Clients would wait until they time out; here the requests fail at once.
   */
  failDeadlocked(): void {
    const isInEngine = (phase: number): boolean => phase === IN_PREFILL || phase === IN_DECODE;
    const rows: number[] = [];
    for (let place = 0; place < this.window.rows.phase.length; place++) {
      const row = this.window.oldest + ((place - this.window.oldest) & this.window.rows.mask);
      if (isInEngine(this.window.rows.phase[place]!)) rows.push(row);
    }
    if (rows.length === 0) {
      const open = this.requests.count - this.ended;
      throw new WorkError(
        `simulation stands still at ${this.nowMs} ms with ${open} requests open`,
        "PDB_ERR_STUCK",
      );
    }
    for (const row of rows.sort((a, b) => a - b)) {
      const { records, phase, mask } = this.window.rows;
      const i = row & mask;
      const worker = phase[i] === IN_PREFILL ? records.prefillWorker[i]! : records.decodeWorker[i]!;
      phase[i] = LEAVING;
      this.fleet.abort(worker, row, this.nowMs);
      this.release(row);
      this.end(row, FAILED);
    }
    this.deadlocked += rows.length;
  }

  // A request's way ----------------------------------------------------------------------------------------

  private send(row: number): void {
    const { nowMs, requests } = this;
    const { records, phase, mask } = this.window.rows;
    const i = row & mask;
    const request = this.routing.of(row);
    this.hearEngines(request);
    const decision = this.router.route(request, nowMs);
    this.hooks.onDecision?.(decision, nowMs);
    if (nowMs < this.firstSentMs) this.firstSentMs = nowMs;
    records.sentMs[i] = nowMs;
    records.inputTokens[i] = requests.inputTokens[i]!;
    records.session[i] = requests.session[i]!;
    records.branch[i] = this.branches.numberOf(decision.branch);
    if (decision.path === "rejected") {
      this.leave(row, FAILED);
      return;
    }
    const cancelAfterMs = requests.cancelAfterMs[i]!;
    if (!Number.isNaN(cancelAfterMs)) this.later(nowMs + cancelAfterMs, CANCEL, row);
    if (decision.decode !== null) records.decodeWorker[i] = decision.decode.worker;
    if (decision.prefill !== null) {
      records.path[i] = 1;
      records.prefillWorker[i] = decision.prefill.worker;
      phase[i] = TO_PREFILL;
      this.at(nowMs + this.fleet.requestMs(decision.prefill.worker), SUBMIT_PREFILL, row);
    } else {
      phase[i] = TO_DECODE;
      this.at(nowMs + this.fleet.requestMs(records.decodeWorker[i]!), SUBMIT_DECODE, row);
    }
  }

  private submit(row: number, worker: number, leg: "prefill" | "decode"): void {
    const { requests } = this;
    const { records, phase, submittedMs, held, pending, mask } = this.window.rows;
    const i = row & mask;
    const disaggregated = records.path[i] === 1;
    const oneToken = leg === "prefill" && this.setup.router.prefillOutput === "one_token";
    const request = {
      id: row,
      promptTokens: requests.inputTokens[i]!,
      outputTokens: oneToken ? 1 : requests.outputTokens[i]!,
      content: requests.spanOf(row),
      priority: requests.priority[i]!,
      kvRole: !disaggregated ? "local" : leg === "prefill" ? "remote_decode" : "remote_prefill",
    } as const;
    this.router.onDispatched(row, leg, this.nowMs);
    phase[i] = leg === "prefill" ? IN_PREFILL : IN_DECODE;
    submittedMs[i] = this.nowMs;
    if (this.fleet.submit(worker, request, this.nowMs)) {
      pending[i]!++;
      // vLLM sends the headers of a stream as soon as it has taken the request in.
      if (leg === "decode") this.router.onHeaders(row, leg, this.nowMs);
    } else {
      if (held[i] === 1) this.expire(row);
      this.end(row, FAILED);
    }
  }

  /** The prefill response is back at the router, which sends the request on to its decode worker. */
  private handOver(row: number): void {
    const { records, nowMs } = this;
    const i = row & this.window.rows.mask;
    this.router.onHeaders(row, "prefill", nowMs);
    this.router.onLegEnd(row, "prefill", "completed", nowMs);
    if (records.decodeWorker[i]! < 0 && !this.chooseDecode(row)) {
      this.expire(row);
      this.end(row, FAILED);
      return;
    }
    this.at(nowMs + this.fleet.requestMs(records.decodeWorker[i]!), SUBMIT_DECODE, row);
  }

  /** @returns false when no decode worker is healthy. */
  private chooseDecode(row: number): boolean {
    this.hearEngines(this.routing.of(row));
    const decision = this.router.routeDecode(row, this.nowMs);
    if (decision === null) return false;
    this.hooks.onLateDecode?.(row, decision, this.nowMs);
    this.records.decodeWorker[row & this.window.rows.mask] = decision.worker;
    return true;
  }

  /** Tells the router, which is about to decide on a request, what it can know of the engines. */
  private hearEngines(request: RoutingRequest): void {
    const { nowMs, router } = this;
    this.stats.readAtDecision(nowMs);
    if (this.kvEvents === null) this.kv.readAtDecision(request);
    else this.kvEvents.deliver(router, nowMs);
    this.hooks.beforeDecision?.(request, router, nowMs);
  }

  /** The client gives up: the leg that is at work is aborted. */
  private cancel(row: number): void {
    const { records, phase: phases, generatedMs, held, mask } = this.window.rows;
    const i = row & mask;
    const phase = phases[i]!;
    if (phase === ENDED || phase === LEAVING) return;
    phases[i] = LEAVING;
    // The engine may tell of a token before its time.
    if (generatedMs[i]! < this.nowMs) this.notePrefill(i);
    if (phase === IN_PREFILL) this.fleet.abort(records.prefillWorker[i]!, row, this.nowMs);
    if (phase === IN_DECODE) this.fleet.abort(records.decodeWorker[i]!, row, this.nowMs);
    // A decode engine tells the prefill engine of an abort before the read; a router that goes away does not.
    if (held[i] === 1) {
      if (phase === IN_DECODE) this.release(row);
      else this.expire(row);
    }
    this.end(row, CANCELLED);
  }

  /** Ends a request that the router has open. */
  private end(row: number, status: number): void {
    this.router.onRequestEnd(row, OUTCOMES[status]!, this.nowMs);
    if (status === COMPLETED) this.records.lastTokenMs[row & this.window.rows.mask] = this.nowMs;
    this.leave(row, status);
  }

  private leave(row: number, status: number): void {
    const i = row & this.window.rows.mask;
    this.window.rows.phase[i] = ENDED;
    this.records.status[i] = status;
    this.lastEndMs = Math.max(this.lastEndMs, this.nowMs);
    this.arrivals.onEnded(row, this.nowMs);
    this.window.fit(this.requests.mask);
    this.ended++;
    this.hooks.onRequestEnd?.(row, this.records);
    if (this.ended % PROGRESS_EVERY === 0) this.hooks.onProgress?.(this.ended, this.records);
    this.window.retireFrom(row);
  }

  /** The decode worker has prefilled the request at place `i`, if it was to. */
  private notePrefill(i: number): void {
    const { records, generatedMs, scheduledMs } = this.window.rows;
    if (records.path[i] === 0) records.prefillMs[i] = generatedMs[i]! - scheduledMs[i]!;
  }

  /** A prefill engine lets go of KV that nobody has read in time. */
  expire(row: number): void {
    const timeoutMs = this.fleet.heldKvTimeoutMs(this.records.prefillWorker[row & this.window.rows.mask]!);
    this.later(this.nowMs + timeoutMs, RELEASE, row);
  }

  private release(row: number): void {
    const { records, held, mask } = this.window.rows;
    const i = row & mask;
    if (held[i] === 0) return;
    held[i] = 0;
    this.fleet.kvSent(records.prefillWorker[i]!, row, this.nowMs);
  }

  // Time ---------------------------------------------------------------------------------------------------

  private later(atMs: number, kind: number, row: number): void {
    this.window.rows.pending[row & this.window.rows.mask]!++;
    this.agenda.push(atMs, kind, row);
  }

  /** Does something now or, when its time has not come, later. */
  at(atMs: number, kind: number, row: number): void {
    if (atMs > this.nowMs) this.later(atMs, kind, row);
    else this.happen(kind, row);
  }

  private happen(kind: number, row: number): void {
    if (kind === CANCEL) {
      this.cancel(row);
      return;
    }
    if (kind === RELEASE) {
      this.release(row);
      return;
    }
    const { records, phase, mask } = this.window.rows;
    const i = row & mask;
    if (phase[i] === ENDED) return;
    if (kind === SUBMIT_PREFILL) this.submit(row, records.prefillWorker[i]!, "prefill");
    else if (kind === HAND_OVER) this.handOver(row);
    else if (kind === SUBMIT_DECODE) this.submit(row, records.decodeWorker[i]!, "decode");
    else if (kind === FIRST_TOKEN) {
      records.firstTokenMs[i] = this.nowMs;
      this.notePrefill(i);
      this.router.onFirstToken(row, this.nowMs);
    } else this.end(row, COMPLETED);
  }
}

import type { FinishReason } from "../engine/types.js";
import { WorkError } from "../errors.js";
import type { GapRunsBuilder } from "../measure/gap-runs-builder.js";
import type { RequestRecords } from "../measure/records.js";
import { createRouter, type RequestRouter } from "../routing/router-replicas.js";
import type { LegOutcome, RoutingRequest } from "../routing/types.js";
import { Agenda } from "./agenda.js";
import { Arrivals } from "./arrivals.js";
import { Fleet } from "./fleet.js";
import type { SimulationHooks } from "./hooks.js";
import type { KvEventFeed } from "./kv-event-feed.js";
import { KvFeed } from "./kv-feed.js";
import type { LegEvents } from "./leg-listener.js";
import {
  CANCEL,
  END,
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
import { RowColumns } from "./row-columns.js";
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
  /** Takes the requests that are over, oldest first; null = they stay. */
  readonly retired: ((records: RequestRecords, place: number) => void) | null;
}

/**
 * A request's way from the client through router and engines and back, for all requests of a run: what each thing
 * that happens to one leads to, now or later, and what is measured of it. `Simulation` says what happens when.
 */
export class RequestWay implements LegEvents {
  readonly agenda = new Agenda();
  readonly fleet: Fleet;
  readonly router: RequestRouter;
  readonly arrivals: Arrivals;
  readonly stats: StatsFeed;
  readonly requestGaps: RequestGaps | null;
  nowMs = 0;
  ended = 0;
  firstSentMs = Infinity;
  lastEndMs = 0;
  /** Names of the decision branches, by the number that `records.branch` has for them. */
  readonly branchNames: string[] = [];
  /** Requests that failed because an engine was locked up. */
  deadlocked = 0;

  private readonly setup: FleetSetup;
  private readonly requests: Requests;
  private readonly hooks: SimulationHooks;
  private readonly outlets: Outlets;
  private readonly routing: RoutingRequests;
  private readonly kv: KvFeed;
  /** In place of `kv` where KV events are late or lost. */
  private readonly kvEvents: KvEventFeed | null;
  private readonly branches = new Map<string, number>();
  private rows: RowColumns;
  /** The first row that has not been retired. */
  private oldest = 0;

  constructor(setup: FleetSetup, requests: Requests, hooks: SimulationHooks, outlets: Outlets) {
    this.setup = setup;
    this.requests = requests;
    this.hooks = hooks;
    this.outlets = outlets;
    this.kvEvents = outlets.kvEvents(() => this.nowMs);
    this.fleet = new Fleet(setup, this, this.kvEvents);
    this.router = createRouter(setup.router, this.fleet.workerSpecs(), setup.seed);
    this.arrivals = new Arrivals(requests);
    this.routing = new RoutingRequests(requests, hooks.pins);
    this.stats = new StatsFeed(this.router, this.fleet.engines, setup.signals);
    this.kv = new KvFeed(requests, this.router, this.fleet.engines);
    this.rows = new RowColumns(requests.count, requests.mask);
    this.requestGaps =
      hooks.requestGaps === true ? new RequestGaps(this.fleet.engines.length, this.records) : null;
  }

  /** What was measured of the requests that have not been retired. */
  get records(): RequestRecords {
    return this.rows.records;
  }

  // What happens ------------------------------------------------------------------------------------------

  sendNext(): void {
    const row = this.arrivals.take();
    this.fitColumns();
    this.send(row);
  }

  completeTransfers(): void {
    const { nowMs } = this;
    const done = this.fleet.network.advance(nowMs);
    for (let d = 0; d < done.length; d++) {
      const row = done.at(d);
      const { records, readStartMs, pending, mask } = this.rows;
      const i = row & mask;
      records.kvTransferMs[i] = nowMs - readStartMs[i]!;
      this.fleet.transferred(row, records.prefillWorker[i]!, records.decodeWorker[i]!, nowMs);
      pending[i]!--;
      this.retireFrom(row);
    }
  }

  takeFromAgenda(): void {
    this.agenda.pop();
    const { kind, subject } = this.agenda;
    this.rows.pending[subject & this.rows.mask]!--;
    this.happen(kind, subject);
    this.retireFrom(subject);
  }

  /**
   * Nothing will happen by itself, yet requests are open. vLLM's scheduler can come to that: the request at
   * the head of a queue waits for blocks that one behind it holds, whose KV has arrived (priority policy, or
   * any in the 0.11 rules). Clients would wait until they time out; here the requests fail at once.
   */
  failDeadlocked(): void {
    const isInEngine = (phase: number): boolean => phase === IN_PREFILL || phase === IN_DECODE;
    const rows: number[] = [];
    for (let place = 0; place < this.rows.phase.length; place++) {
      const row = this.oldest + ((place - this.oldest) & this.rows.mask);
      if (isInEngine(this.rows.phase[place]!)) rows.push(row);
    }
    if (rows.length === 0) {
      const open = this.requests.count - this.ended;
      throw new WorkError(
        `simulation stands still at ${this.nowMs} ms with ${open} requests open`,
        "PDB_ERR_STUCK",
      );
    }
    for (const row of rows.sort((a, b) => a - b)) {
      const { records, phase, mask } = this.rows;
      const i = row & mask;
      const worker = phase[i] === IN_PREFILL ? records.prefillWorker[i]! : records.decodeWorker[i]!;
      phase[i] = LEAVING;
      this.fleet.abort(worker, row, this.nowMs);
      this.release(row);
      this.end(row, FAILED);
    }
    this.deadlocked += rows.length;
  }

  // Engine events ------------------------------------------------------------------------------------------

  scheduled(worker: number, row: number, atMs: number, cachedTokens: number): void {
    const { records, submittedMs, scheduledMs, mask } = this.rows;
    const i = row & mask;
    scheduledMs[i] = atMs;
    if (this.fleet.isPrefill(worker)) {
      records.queueMs[i] = atMs - submittedMs[i]!;
      records.cachedTokens[i] = cachedTokens;
    } else if (records.path[i] === 1) {
      // Time on the wire is not time in the queue.
      records.queueMs[i]! += atMs - submittedMs[i]! - records.kvTransferMs[i]!;
    } else {
      records.queueMs[i] = atMs - submittedMs[i]!;
      records.cachedTokens[i] = cachedTokens;
    }
  }

  kvReadStart(worker: number, row: number, atMs: number, tokens: number): void {
    const { records, readStartMs, held, pending, mask } = this.rows;
    const i = row & mask;
    readStartMs[i] = atMs;
    held[i] = 0;
    pending[i]!++;
    records.decodeCachedTokens[i] = records.inputTokens[i]! - tokens;
    this.fleet.startTransfer(row, records.prefillWorker[i]!, worker, tokens, atMs);
  }

  firstToken(worker: number, row: number, atMs: number): void {
    const { phase, generatedMs, mask } = this.rows;
    const i = row & mask;
    if (this.fleet.isPrefill(worker) || phase[i] !== IN_DECODE) return;
    this.requestGaps?.firstToken(row, atMs);
    generatedMs[i] = atMs;
    this.at(atMs + this.fleet.responseMs(worker), FIRST_TOKEN, row);
  }

  preempted(_worker: number, row: number): void {
    this.records.preemptions[row & this.rows.mask]!++;
  }

  finished(worker: number, row: number, atMs: number, reason: FinishReason, outputTokens: number): void {
    const { records, phase, pending, mask } = this.rows;
    const i = row & mask;
    const isPrefill = this.fleet.isPrefill(worker);
    pending[i]!--;
    if (!isPrefill) records.outputTokens[i] = outputTokens;
    if (reason === "aborted") this.retireFrom(row);
    else if (isPrefill) this.prefillFinished(worker, row, atMs);
    else if (phase[i] === IN_DECODE) {
      phase[i] = LEAVING;
      this.requestGaps?.finish(row, atMs);
      this.at(atMs + this.fleet.responseMs(worker), END, row);
    }
  }

  /** The decode worker has prefilled the request at place `i`, if it was to. */
  private notePrefill(i: number): void {
    const { records, generatedMs, scheduledMs } = this.rows;
    if (records.path[i] === 0) records.prefillMs[i] = generatedMs[i]! - scheduledMs[i]!;
  }

  private prefillFinished(worker: number, row: number, atMs: number): void {
    const { records, phase, held, scheduledMs, mask } = this.rows;
    const i = row & mask;
    held[i] = 1;
    if (phase[i] === IN_PREFILL) {
      records.prefillMs[i] = atMs - scheduledMs[i]!;
      phase[i] = TO_DECODE;
      this.at(atMs + this.fleet.responseMs(worker), HAND_OVER, row);
    } else {
      // Cancelled during its last step: no reader will ever come.
      this.expire(row);
    }
  }

  tokenGaps(
    worker: number,
    firstMs: number,
    deltaMs: number,
    steps: number,
    sequences: number,
    endMs: number,
    lateRow: number,
  ): void {
    // What a prefill engine generates beyond its one token never reaches a client.
    if (this.fleet.isPrefill(worker)) return;
    this.outlets.gaps.add(firstMs, deltaMs, steps, sequences);
    this.requestGaps?.add(worker, firstMs, deltaMs, steps, endMs, lateRow);
  }

  // A request's way ----------------------------------------------------------------------------------------

  private send(row: number): void {
    const { nowMs, requests } = this;
    const { records, phase, mask } = this.rows;
    const i = row & mask;
    const request = this.routing.of(row);
    this.hearEngines(request);
    const decision = this.router.route(request, nowMs);
    this.hooks.onDecision?.(decision, nowMs);
    if (nowMs < this.firstSentMs) this.firstSentMs = nowMs;
    records.sentMs[i] = nowMs;
    records.inputTokens[i] = requests.inputTokens[i]!;
    records.session[i] = requests.session[i]!;
    records.branch[i] = this.branchIndex(decision.branch);
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
    const { records, phase, submittedMs, held, pending, mask } = this.rows;
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
    const i = row & this.rows.mask;
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
    this.records.decodeWorker[row & this.rows.mask] = decision.worker;
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
    const { records, phase: phases, generatedMs, held, mask } = this.rows;
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
    if (status === COMPLETED) this.records.lastTokenMs[row & this.rows.mask] = this.nowMs;
    this.leave(row, status);
  }

  private leave(row: number, status: number): void {
    const i = row & this.rows.mask;
    this.rows.phase[i] = ENDED;
    this.records.status[i] = status;
    this.lastEndMs = Math.max(this.lastEndMs, this.nowMs);
    this.arrivals.onEnded(row, this.nowMs);
    this.fitColumns();
    this.ended++;
    this.hooks.onRequestEnd?.(row, this.records);
    if (this.ended % PROGRESS_EVERY === 0) this.hooks.onProgress?.(this.ended, this.records);
    this.retireFrom(row);
  }

  /** A prefill engine lets go of KV that nobody has read in time. */
  private expire(row: number): void {
    const timeoutMs = this.fleet.heldKvTimeoutMs(this.records.prefillWorker[row & this.rows.mask]!);
    this.later(this.nowMs + timeoutMs, RELEASE, row);
  }

  private release(row: number): void {
    const { records, held, mask } = this.rows;
    const i = row & mask;
    if (held[i] === 0) return;
    held[i] = 0;
    this.fleet.kvSent(records.prefillWorker[i]!, row, this.nowMs);
  }

  // Rows ---------------------------------------------------------------------------------------------------

  /** New rows may have come that need wider columns. */
  private fitColumns(): void {
    const { mask } = this.requests;
    if (mask !== this.rows.mask) this.rows = this.rows.widened(mask, this.oldest);
  }

  /** Hands over the oldest requests, as far as they are over; `row` is the one to which something has happened. */
  private retireFrom(row: number): void {
    const { retired } = this.outlets;
    if (retired === null || row !== this.oldest) return;
    const { records, phase, pending, mask } = this.rows;
    for (let i = row & mask; phase[i] === ENDED && pending[i] === 0; i = this.oldest & mask) {
      retired(records, i);
      this.rows.clear(i);
      this.oldest++;
    }
  }

  private branchIndex(branch: string): number {
    let index = this.branches.get(branch);
    if (index === undefined) {
      index = this.branches.size;
      this.branches.set(branch, index);
      this.branchNames.push(branch);
    }
    return index;
  }

  // Time ---------------------------------------------------------------------------------------------------

  private later(atMs: number, kind: number, row: number): void {
    this.rows.pending[row & this.rows.mask]!++;
    this.agenda.push(atMs, kind, row);
  }

  /** Does something now or, when its time has not come, later. */
  private at(atMs: number, kind: number, row: number): void {
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
    const { records, phase, mask } = this.rows;
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

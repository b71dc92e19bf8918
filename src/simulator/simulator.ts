import type { FinishReason } from "../engine/types.js";
import { WorkError } from "../errors.js";
import { GapRunsBuilder } from "../measure/gap-runs-builder.js";
import { createRequestRecords } from "../measure/record-builder.js";
import type { RequestRecords, RunResult } from "../measure/records.js";
import { createRouter, type RequestRouter } from "../routing/router-replicas.js";
import type { LegOutcome, RoutingRequest } from "../routing/types.js";
import { blockSpanOf } from "../workload/workload.js";
import { Agenda } from "./agenda.js";
import { Arrivals } from "./arrivals.js";
import { Fleet } from "./fleet.js";
import { legBranchesOf } from "./leg-branches.js";
import { kvEventFeed, type KvEventFeed } from "./kv-event-feed.js";
import { KvFeed } from "./kv-feed.js";
import type { LegEvents } from "./leg-listener.js";
import { RequestGaps } from "./request-gaps.js";
import { RoutingRequests } from "./routing-requests.js";
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
import type { SimulationHooks } from "./hooks.js";
import type { SimulationSetup } from "./setup.js";
import { StatsFeed } from "./stats-feed.js";
import { Timeline } from "./timeline.js";

const COMPLETED = 0;
const FAILED = 1;
const CANCELLED = 2;
const PROGRESS_EVERY = 256;
const OUTCOMES: readonly LegOutcome[] = ["completed", "failed", "cancelled"];

/**
 * Runs a workload through the routing core and modelled engines in virtual time.
 *
 * @returns what was measured; the same for the same set-up, on any machine.
 */
export function simulate(setup: SimulationSetup, hooks: SimulationHooks = {}): RunResult {
  return new Simulation(setup, hooks).run();
}

/**
 * One run. Time moves from event to event: what is due at one instant happens in the order agenda,
 * transfers, sends, engines by number (prefill engines first), so a request that arrives exactly when a step
 * ends takes part in the next step, as in vLLM's loop.
 */
class Simulation implements LegEvents {
  private readonly setup: SimulationSetup;
  private readonly hooks: SimulationHooks;
  private readonly fleet: Fleet;
  private readonly router: RequestRouter;
  private readonly arrivals: Arrivals;
  private readonly requests: RoutingRequests;
  private readonly agenda = new Agenda();
  private readonly timeline: Timeline;
  private readonly stats: StatsFeed;
  private readonly kv: KvFeed;
  /** In place of `kv` where KV events are late or lost. */
  private readonly kvEvents: KvEventFeed | null;
  private readonly records: RequestRecords;
  private readonly branches = new Map<string, number>();
  private readonly gaps = new GapRunsBuilder();
  private readonly requestGaps: RequestGaps | null;

  private readonly phase: Uint8Array;
  /** When the current leg reached its engine's queue. */
  private readonly submittedMs: Float64Array;
  private readonly scheduledMs: Float64Array;
  private readonly readStartMs: Float64Array;
  /** 1 while a prefill engine holds the request's blocks for a reader that has not started. */
  private readonly held: Uint8Array;

  private nowMs = 0;
  private ended = 0;
  private events = 0;
  private lastEndMs = 0;
  private deadlocked = 0;

  constructor(setup: SimulationSetup, hooks: SimulationHooks) {
    const { workload } = setup;
    this.setup = setup;
    this.hooks = hooks;
    this.kvEvents = kvEventFeed(setup, () => this.nowMs);
    this.fleet = new Fleet(setup, this, this.kvEvents);
    this.router = createRouter(setup.router, this.fleet.workerSpecs(), setup.seed);
    this.arrivals = new Arrivals(workload);
    this.requests = new RoutingRequests(workload, hooks.pins);
    this.timeline = new Timeline(this.fleet.engines, setup.timelineIntervalMs);
    this.stats = new StatsFeed(this.router, this.fleet.engines, setup.signals);
    this.kv = new KvFeed(workload, this.router, this.fleet.engines);
    this.records = createRequestRecords(workload.count);
    this.requestGaps =
      hooks.requestGaps === true ? new RequestGaps(this.fleet.engines.length, this.records) : null;
    this.phase = new Uint8Array(workload.count);
    this.submittedMs = new Float64Array(workload.count);
    this.scheduledMs = new Float64Array(workload.count);
    this.readStartMs = new Float64Array(workload.count);
    this.held = new Uint8Array(workload.count);
  }

  run(): RunResult {
    while (this.ended < this.setup.workload.count) {
      const nextMs = this.nextMs();
      if (nextMs === Infinity) {
        this.failDeadlocked();
        continue;
      }
      if (nextMs >= this.timeline.nextMs) this.timeline.sampleUntil(nextMs);
      if (nextMs >= this.stats.nextMs) this.stats.pollUntil(nextMs);
      this.happenAt(nextMs);
    }
    const result = this.result();
    // Transfers whose request was cancelled end after the last request.
    for (let nextMs = this.nextMs(); nextMs < Infinity; nextMs = this.nextMs()) this.happenAt(nextMs);
    this.hooks.onDrained?.({ engines: this.fleet.engines, router: this.router, network: this.fleet.network });
    return result;
  }

  private nextMs(): number {
    return Math.min(
      this.agenda.atMs(),
      this.fleet.network.nextCompletionMs(),
      this.arrivals.atMs(),
      this.fleet.nextMs(),
    );
  }

  private happenAt(nextMs: number): void {
    this.nowMs = nextMs;
    this.events++;
    if (this.agenda.atMs() === nextMs) this.takeFromAgenda();
    else if (this.fleet.network.nextCompletionMs() === nextMs) this.completeTransfers();
    else if (this.arrivals.atMs() === nextMs) this.send(this.arrivals.take());
    else this.fleet.advanceNext();
  }

  // Engine events ------------------------------------------------------------------------------------------

  scheduled(worker: number, row: number, atMs: number, cachedTokens: number): void {
    const { records } = this;
    this.scheduledMs[row] = atMs;
    if (this.fleet.isPrefill(worker)) {
      records.queueMs[row] = atMs - this.submittedMs[row]!;
      records.cachedTokens[row] = cachedTokens;
    } else if (records.path[row] === 1) {
      // Time on the wire is not time in the queue.
      records.queueMs[row]! += atMs - this.submittedMs[row]! - records.kvTransferMs[row]!;
    } else {
      records.queueMs[row] = atMs - this.submittedMs[row]!;
      records.cachedTokens[row] = cachedTokens;
    }
  }

  kvReadStart(worker: number, row: number, atMs: number, tokens: number): void {
    this.readStartMs[row] = atMs;
    this.held[row] = 0;
    this.records.decodeCachedTokens[row] = this.setup.workload.inputTokens[row]! - tokens;
    this.fleet.startTransfer(row, this.records.prefillWorker[row]!, worker, tokens, atMs);
  }

  firstToken(worker: number, row: number, atMs: number): void {
    if (this.fleet.isPrefill(worker) || this.phase[row] !== IN_DECODE) return;
    this.requestGaps?.firstToken(row, atMs);
    if (this.records.path[row] === 0) this.records.prefillMs[row] = atMs - this.scheduledMs[row]!;
    this.at(atMs + this.fleet.responseMs(worker), FIRST_TOKEN, row);
  }

  preempted(_worker: number, row: number): void {
    this.records.preemptions[row]!++;
  }

  finished(worker: number, row: number, atMs: number, reason: FinishReason, outputTokens: number): void {
    if (!this.fleet.isPrefill(worker)) this.records.outputTokens[row] = outputTokens;
    if (reason === "aborted") return;
    if (this.fleet.isPrefill(worker)) this.prefillFinished(worker, row, atMs);
    else if (this.phase[row] === IN_DECODE) {
      this.phase[row] = LEAVING;
      this.requestGaps?.finish(row, atMs);
      this.at(atMs + this.fleet.responseMs(worker), END, row);
    }
  }

  private prefillFinished(worker: number, row: number, atMs: number): void {
    this.held[row] = 1;
    if (this.phase[row] === IN_PREFILL) {
      this.records.prefillMs[row] = atMs - this.scheduledMs[row]!;
      this.phase[row] = TO_DECODE;
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
    this.gaps.add(firstMs, deltaMs, steps, sequences);
    this.requestGaps?.add(worker, firstMs, deltaMs, steps, endMs, lateRow);
  }

  // A request's way ----------------------------------------------------------------------------------------

  private send(row: number): void {
    const { workload } = this.setup;
    const { records, nowMs } = this;
    const request = this.requests.of(row);
    this.hearEngines(request);
    const decision = this.router.route(request, nowMs);
    this.hooks.onDecision?.(decision, nowMs);
    records.sentMs[row] = nowMs;
    records.inputTokens[row] = workload.inputTokens[row]!;
    records.session[row] = workload.session[row]!;
    records.branch[row] = this.branchIndex(decision.branch);
    if (decision.path === "rejected") {
      this.leave(row, FAILED);
      return;
    }
    const cancelAfterMs = workload.cancelAfterMs[row]!;
    if (!Number.isNaN(cancelAfterMs)) this.agenda.push(nowMs + cancelAfterMs, CANCEL, row);
    if (decision.decode !== null) records.decodeWorker[row] = decision.decode.worker;
    if (decision.prefill !== null) {
      records.path[row] = 1;
      records.prefillWorker[row] = decision.prefill.worker;
      this.phase[row] = TO_PREFILL;
      this.at(nowMs + this.fleet.requestMs(decision.prefill.worker), SUBMIT_PREFILL, row);
    } else {
      this.phase[row] = TO_DECODE;
      this.at(nowMs + this.fleet.requestMs(records.decodeWorker[row]!), SUBMIT_DECODE, row);
    }
  }

  private submit(row: number, worker: number, leg: "prefill" | "decode"): void {
    const { workload, router } = this.setup;
    const disaggregated = this.records.path[row] === 1;
    const oneToken = leg === "prefill" && router.prefillOutput === "one_token";
    const request = {
      id: row,
      promptTokens: workload.inputTokens[row]!,
      outputTokens: oneToken ? 1 : workload.outputTokens[row]!,
      content: blockSpanOf(workload, row),
      priority: workload.priority[row]!,
      kvRole: !disaggregated ? "local" : leg === "prefill" ? "remote_decode" : "remote_prefill",
    } as const;
    this.router.onDispatched(row, leg, this.nowMs);
    this.phase[row] = leg === "prefill" ? IN_PREFILL : IN_DECODE;
    this.submittedMs[row] = this.nowMs;
    if (!this.fleet.submit(worker, request, this.nowMs)) {
      if (this.held[row] === 1) this.expire(row);
      this.end(row, FAILED);
    } else if (leg === "decode") {
      // vLLM sends the headers of a stream as soon as it has taken the request in.
      this.router.onHeaders(row, leg, this.nowMs);
    }
  }

  /** The prefill response is back at the router, which sends the request on to its decode worker. */
  private handOver(row: number): void {
    const { records, nowMs } = this;
    this.router.onHeaders(row, "prefill", nowMs);
    this.router.onLegEnd(row, "prefill", "completed", nowMs);
    if (records.decodeWorker[row]! < 0 && !this.chooseDecode(row)) {
      this.expire(row);
      this.end(row, FAILED);
      return;
    }
    this.at(nowMs + this.fleet.requestMs(records.decodeWorker[row]!), SUBMIT_DECODE, row);
  }

  /** @returns false when no decode worker is healthy. */
  private chooseDecode(row: number): boolean {
    this.hearEngines(this.requests.of(row));
    const decision = this.router.routeDecode(row, this.nowMs);
    if (decision === null) return false;
    this.hooks.onLateDecode?.(row, decision, this.nowMs);
    this.records.decodeWorker[row] = decision.worker;
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
    const phase = this.phase[row]!;
    if (phase === ENDED || phase === LEAVING) return;
    const { prefillWorker, decodeWorker } = this.records;
    this.phase[row] = LEAVING;
    if (phase === IN_PREFILL) this.fleet.abort(prefillWorker[row]!, row, this.nowMs);
    if (phase === IN_DECODE) this.fleet.abort(decodeWorker[row]!, row, this.nowMs);
    // A decode engine tells the prefill engine of an abort before the read; a router that goes away does not.
    if (this.held[row] === 1) {
      if (phase === IN_DECODE) this.release(row);
      else this.expire(row);
    }
    this.end(row, CANCELLED);
  }

  /** Ends a request that the router has open. */
  private end(row: number, status: number): void {
    this.router.onRequestEnd(row, OUTCOMES[status]!, this.nowMs);
    if (status === COMPLETED) this.records.lastTokenMs[row] = this.nowMs;
    this.leave(row, status);
  }

  private leave(row: number, status: number): void {
    this.phase[row] = ENDED;
    this.records.status[row] = status;
    this.lastEndMs = Math.max(this.lastEndMs, this.nowMs);
    this.arrivals.onEnded(row, this.nowMs);
    this.ended++;
    this.hooks.onRequestEnd?.(row, this.records);
    if (this.ended % PROGRESS_EVERY === 0) this.hooks.onProgress?.(this.ended, this.records);
  }

  /** A prefill engine lets go of KV that nobody has read in time. */
  private expire(row: number): void {
    const timeoutMs = this.fleet.heldKvTimeoutMs(this.records.prefillWorker[row]!);
    this.agenda.push(this.nowMs + timeoutMs, RELEASE, row);
  }

  private release(row: number): void {
    if (this.held[row] === 0) return;
    this.held[row] = 0;
    this.fleet.kvSent(this.records.prefillWorker[row]!, row, this.nowMs);
  }

  // Time ---------------------------------------------------------------------------------------------------

  private completeTransfers(): void {
    const { records, nowMs } = this;
    for (const row of this.fleet.network.advance(nowMs)) {
      records.kvTransferMs[row] = nowMs - this.readStartMs[row]!;
      this.fleet.transferred(row, records.prefillWorker[row]!, records.decodeWorker[row]!, nowMs);
    }
  }

  private takeFromAgenda(): void {
    this.agenda.pop();
    this.happen(this.agenda.kind, this.agenda.subject);
  }

  /** Does something now or, when its time has not come, later. */
  private at(atMs: number, kind: number, row: number): void {
    if (atMs > this.nowMs) this.agenda.push(atMs, kind, row);
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
    if (this.phase[row] === ENDED) return;
    if (kind === SUBMIT_PREFILL) this.submit(row, this.records.prefillWorker[row]!, "prefill");
    else if (kind === HAND_OVER) this.handOver(row);
    else if (kind === SUBMIT_DECODE) this.submit(row, this.records.decodeWorker[row]!, "decode");
    else if (kind === FIRST_TOKEN) {
      this.records.firstTokenMs[row] = this.nowMs;
      this.router.onFirstToken(row, this.nowMs);
    } else this.end(row, COMPLETED);
  }

  private branchIndex(branch: string): number {
    let index = this.branches.get(branch);
    if (index === undefined) {
      index = this.branches.size;
      this.branches.set(branch, index);
    }
    return index;
  }

  // Results ------------------------------------------------------------------------------------------------

  private result(): RunResult {
    const { records } = this;
    const { workload } = this.setup;
    this.timeline.sampleUntil(this.lastEndMs);
    this.requestGaps?.write();
    return {
      records,
      gaps: this.gaps.build(),
      workers: this.fleet.records(),
      branches: [...this.branches.keys()],
      legBranches: legBranchesOf(this.router.branchCounts()),
      timeline: this.timeline.rows(),
      durationMs: this.lastEndMs - (workload.count > 0 ? records.sentMs.reduce((a, b) => Math.min(a, b)) : 0),
      events: this.events,
      steps: this.fleet.steps(),
      notes: this.deadlocked === 0 ? workload.notes : [...workload.notes, this.deadlockNote()],
    };
  }

  private deadlockNote(): string {
    return (
      `${this.deadlocked} requests failed in a deadlock of vLLM's scheduler: the head of a queue waited for KV ` +
      "blocks held by requests behind it."
    );
  }

  /**
   * Nothing will happen by itself, yet requests are open. vLLM's scheduler can come to that: the request at
   * the head of a queue waits for blocks that one behind it holds, whose KV has arrived (priority policy, or
   * any in the 0.11 rules). Clients would wait until they time out; here the requests fail at once.
   */
  private failDeadlocked(): void {
    const { prefillWorker, decodeWorker } = this.records;
    const rows = [...this.phase.keys()].filter((row) => {
      const phase = this.phase[row]!;
      return phase === IN_PREFILL || phase === IN_DECODE;
    });
    if (rows.length === 0) {
      const open = this.setup.workload.count - this.ended;
      throw new WorkError(
        `simulation stands still at ${this.nowMs} ms with ${open} requests open`,
        "PDB_ERR_STUCK",
      );
    }
    for (const row of rows) {
      const worker = this.phase[row] === IN_PREFILL ? prefillWorker[row]! : decodeWorker[row]!;
      this.phase[row] = LEAVING;
      this.fleet.abort(worker, row, this.nowMs);
      this.release(row);
      this.end(row, FAILED);
    }
    this.deadlocked += rows.length;
  }
}

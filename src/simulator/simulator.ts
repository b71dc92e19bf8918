import { createEngine } from "../engine/engine.js";
import { TransferNetwork } from "../engine/kv-transfer.js";
import type { Engine, FinishReason } from "../engine/types.js";
import { WorkError } from "../errors.js";
import { GapRunsBuilder } from "../measure/gap-runs-builder.js";
import { createRequestRecords } from "../measure/record-builder.js";
import type { RequestRecords, RunResult, WorkerRecord } from "../measure/records.js";
import { Router } from "../routing/router.js";
import type { LegOutcome, RouteDecision } from "../routing/types.js";
import { blockSpanOf } from "../workload/workload.js";
import { Agenda } from "./agenda.js";
import { Arrivals } from "./arrivals.js";
import { Earliest } from "./earliest.js";
import { LegListener, type LegEvents } from "./leg-listener.js";
import { RoutingRequests } from "./routing-requests.js";
import type { SimulationSetup, WorkerSetup } from "./setup.js";
import { StatsFeed } from "./stats-feed.js";
import { Timeline } from "./timeline.js";

/** Kinds of agenda entries. Entries of equal time keep the order they went in. */
const SUBMIT_PREFILL = 0;
const HAND_OVER = 1;
const SUBMIT_DECODE = 2;
const FIRST_TOKEN = 3;
const END = 4;
const CANCEL = 5;
const RELEASE = 6;

/** Where a request is. */
const TO_PREFILL = 1;
const IN_PREFILL = 2;
const TO_DECODE = 3;
const IN_DECODE = 4;
const LEAVING = 5;
const ENDED = 6;

const COMPLETED = 0;
const FAILED = 1;
const CANCELLED = 2;
const PROGRESS_EVERY = 4096;
const OUTCOMES: readonly LegOutcome[] = ["completed", "failed", "cancelled"];

export interface SimulationHooks {
  /** Called with every decision, in order of time. */
  readonly onDecision?: (decision: RouteDecision, atMs: number) => void;
  /** Called now and then with the number of requests that have ended. */
  readonly onProgress?: (ended: number) => void;
  /** Called when everything has come to rest, for checks of what must then be zero. */
  readonly onDrained?: (fleet: {
    readonly engines: readonly Engine[];
    readonly router: Router;
    readonly network: TransferNetwork;
  }) => void;
}

/**
 * Runs a workload through the routing core and modelled engines in virtual time.
 *
 * @returns what was measured; the same for the same set-up, on any machine.
 * @throws WorkError when requests are left that nothing will ever end (a defect).
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
  private readonly workers: readonly WorkerSetup[];
  private readonly prefillWorkers: number;
  private readonly engines: readonly Engine[];
  private readonly router: Router;
  private readonly network: TransferNetwork;
  private readonly arrivals: Arrivals;
  private readonly requests: RoutingRequests;
  private readonly agenda = new Agenda();
  private readonly clocks: Earliest;
  private readonly timeline: Timeline;
  private readonly stats: StatsFeed;
  private readonly records: RequestRecords;
  private readonly branches = new Map<string, number>();
  private readonly gaps = new GapRunsBuilder();

  private readonly phase: Uint8Array;
  /** When the current leg reached its engine's queue. */
  private readonly submittedMs: Float64Array;
  private readonly scheduledMs: Float64Array;
  private readonly readStartMs: Float64Array;
  /** 1 while a prefill engine holds the request's blocks for a reader that has not started. */
  private readonly held: Uint8Array;
  private readonly legs: Int32Array;

  private nowMs = 0;
  private ended = 0;
  private events = 0;
  private lastEndMs = 0;

  constructor(setup: SimulationSetup, hooks: SimulationHooks) {
    const { workload, network } = setup;
    this.setup = setup;
    this.hooks = hooks;
    this.workers = [...setup.prefill, ...setup.decode];
    this.prefillWorkers = setup.prefill.length;
    this.engines = this.workers.map((worker, index) =>
      createEngine(worker.engine, worker.stepTime, new LegListener(this, index), setup.time),
    );
    this.router = new Router(
      setup.router,
      this.workers.map(({ id }, index) => ({ id, leg: index < this.prefillWorkers ? "prefill" : "decode" })),
      setup.seed,
    );
    this.network = new TransferNetwork({
      senderGbps: this.workers.map(() => network.bandwidthGbps),
      receiverGbps: this.workers.map(() => network.bandwidthGbps),
      latencyMs: network.latencyMs,
      contention: network.contention,
    });
    this.arrivals = new Arrivals(workload);
    this.requests = new RoutingRequests(workload);
    this.clocks = new Earliest(this.workers.length);
    this.timeline = new Timeline(this.engines, setup.timelineIntervalMs);
    this.stats = new StatsFeed(this.router, this.engines, setup.signals);
    this.records = createRequestRecords(workload.count);
    this.phase = new Uint8Array(workload.count);
    this.submittedMs = new Float64Array(workload.count);
    this.scheduledMs = new Float64Array(workload.count);
    this.readStartMs = new Float64Array(workload.count);
    this.held = new Uint8Array(workload.count);
    this.legs = new Int32Array(this.workers.length);
  }

  run(): RunResult {
    while (this.ended < this.setup.workload.count) {
      const nextMs = this.nextMs();
      if (nextMs === Infinity) throw this.stuck();
      if (nextMs >= this.timeline.nextMs) this.timeline.sampleUntil(nextMs);
      this.stats.pollUntil(nextMs);
      this.happenAt(nextMs);
    }
    const result = this.result();
    // Transfers whose request was cancelled end after the last request.
    for (let nextMs = this.nextMs(); nextMs < Infinity; nextMs = this.nextMs()) this.happenAt(nextMs);
    this.hooks.onDrained?.({ engines: this.engines, router: this.router, network: this.network });
    return result;
  }

  private nextMs(): number {
    return Math.min(
      this.agenda.atMs(),
      this.network.nextCompletionMs(),
      this.arrivals.atMs(),
      this.clocks.atMs(),
    );
  }

  private happenAt(nextMs: number): void {
    this.nowMs = nextMs;
    this.events++;
    if (this.agenda.atMs() === nextMs) this.takeFromAgenda();
    else if (this.network.nextCompletionMs() === nextMs) this.completeTransfers();
    else if (this.arrivals.atMs() === nextMs) this.send(this.arrivals.take());
    else this.advanceEngine(this.clocks.entity());
  }

  // Engine events ------------------------------------------------------------------------------------------

  scheduled(worker: number, row: number, atMs: number, cachedTokens: number): void {
    const { records } = this;
    this.scheduledMs[row] = atMs;
    if (worker < this.prefillWorkers) {
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
    const prefill = this.records.prefillWorker[row]!;
    const { kvBytesPerToken, engine } = this.workers[prefill]!;
    this.readStartMs[row] = atMs;
    this.held[row] = 0;
    this.records.decodeCachedTokens[row] = this.setup.workload.inputTokens[row]! - tokens;
    // vLLM moves whole blocks.
    const blocks = Math.ceil(tokens / engine.blockSize);
    this.network.start(row, prefill, worker, blocks * engine.blockSize * kvBytesPerToken, atMs);
  }

  firstToken(worker: number, row: number, atMs: number): void {
    if (worker < this.prefillWorkers || this.phase[row] !== IN_DECODE) return;
    if (this.records.path[row] === 0) this.records.prefillMs[row] = atMs - this.scheduledMs[row]!;
    this.at(atMs + this.responseMs(worker), FIRST_TOKEN, row);
  }

  preempted(_worker: number, row: number): void {
    this.records.preemptions[row]!++;
  }

  finished(worker: number, row: number, atMs: number, reason: FinishReason, outputTokens: number): void {
    if (worker >= this.prefillWorkers) this.records.outputTokens[row] = outputTokens;
    if (reason === "aborted") return;
    if (worker < this.prefillWorkers) this.prefillFinished(worker, row, atMs);
    else if (this.phase[row] === IN_DECODE) {
      this.phase[row] = LEAVING;
      this.at(atMs + this.responseMs(worker), END, row);
    }
  }

  private prefillFinished(worker: number, row: number, atMs: number): void {
    this.held[row] = 1;
    if (this.phase[row] === IN_PREFILL) {
      this.records.prefillMs[row] = atMs - this.scheduledMs[row]!;
      this.phase[row] = TO_DECODE;
      this.at(atMs + this.responseMs(worker), HAND_OVER, row);
    } else {
      // Cancelled during its last step: no reader will ever come.
      this.expire(row);
    }
  }

  tokenGaps(worker: number, firstMs: number, deltaMs: number, steps: number, sequences: number): void {
    // What a prefill engine generates beyond its one token never reaches a client.
    if (worker >= this.prefillWorkers) this.gaps.add(firstMs, deltaMs, steps, sequences);
  }

  // A request's way ----------------------------------------------------------------------------------------

  private send(row: number): void {
    const { workload } = this.setup;
    const { records, nowMs } = this;
    this.stats.readAtDecision(nowMs);
    const decision = this.router.route(this.requests.of(row), nowMs);
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
      this.at(nowMs + this.requestMs(decision.prefill.worker), SUBMIT_PREFILL, row);
    } else {
      this.phase[row] = TO_DECODE;
      this.at(nowMs + this.requestMs(records.decodeWorker[row]!), SUBMIT_DECODE, row);
    }
  }

  private submit(row: number, worker: number, leg: "prefill" | "decode"): void {
    const { workload } = this.setup;
    const disaggregated = this.records.path[row] === 1;
    const request = {
      id: row,
      promptTokens: workload.inputTokens[row]!,
      outputTokens: leg === "prefill" ? 1 : workload.outputTokens[row]!,
      content: blockSpanOf(workload, row),
      priority: workload.priority[row]!,
      kvRole: !disaggregated ? "local" : leg === "prefill" ? "remote_decode" : "remote_prefill",
    } as const;
    const engine = this.engines[worker]!;
    this.legs[worker]!++;
    this.router.onDispatched(row, leg, this.nowMs);
    if (engine.reject(request) !== null) {
      if (this.held[row] === 1) this.expire(row);
      this.end(row, FAILED);
      return;
    }
    this.phase[row] = leg === "prefill" ? IN_PREFILL : IN_DECODE;
    this.submittedMs[row] = this.nowMs;
    engine.submit(request, this.nowMs);
    // vLLM sends the headers of a stream as soon as it has taken the request in.
    if (leg === "decode") this.router.onHeaders(row, leg, this.nowMs);
    this.clocks.set(worker, engine.nextEventMs());
  }

  /** The prefill response is back at the router, which sends the request on to its decode worker. */
  private handOver(row: number): void {
    const { records, nowMs } = this;
    this.router.onHeaders(row, "prefill", nowMs);
    this.router.onLegEnd(row, "prefill", "completed", nowMs);
    if (records.decodeWorker[row]! < 0) {
      const decision = this.router.routeDecode(row, nowMs);
      if (decision === null) {
        this.expire(row);
        this.end(row, FAILED);
        return;
      }
      records.decodeWorker[row] = decision.worker;
    }
    this.at(nowMs + this.requestMs(records.decodeWorker[row]!), SUBMIT_DECODE, row);
  }

  /** The client gives up: the leg that is at work is aborted. */
  private cancel(row: number): void {
    const phase = this.phase[row]!;
    if (phase === ENDED || phase === LEAVING) return;
    const { prefillWorker, decodeWorker } = this.records;
    this.phase[row] = LEAVING;
    if (phase === IN_PREFILL) this.abort(prefillWorker[row]!, row);
    if (phase === IN_DECODE) this.abort(decodeWorker[row]!, row);
    // A decode engine tells the prefill engine of an abort before the read; a router that goes away does not.
    if (this.held[row] === 1) {
      if (phase === IN_DECODE) this.release(row);
      else this.expire(row);
    }
    this.end(row, CANCELLED);
  }

  private abort(worker: number, row: number): void {
    const engine = this.engines[worker]!;
    engine.abort(row, this.nowMs);
    this.clocks.set(worker, engine.nextEventMs());
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
    if (this.ended % PROGRESS_EVERY === 0) this.hooks.onProgress?.(this.ended);
  }

  /** A prefill engine lets go of KV that nobody has read in time. */
  private expire(row: number): void {
    const { heldKvTimeoutMs } = this.workers[this.records.prefillWorker[row]!]!;
    this.agenda.push(this.nowMs + heldKvTimeoutMs, RELEASE, row);
  }

  private release(row: number): void {
    if (this.held[row] === 0) return;
    const worker = this.records.prefillWorker[row]!;
    this.held[row] = 0;
    this.engines[worker]!.kvSent(row, this.nowMs);
    this.clocks.set(worker, this.engines[worker]!.nextEventMs());
  }

  // Time ---------------------------------------------------------------------------------------------------

  private advanceEngine(worker: number): void {
    const engine = this.engines[worker]!;
    engine.advance(this.nowMs);
    this.clocks.set(worker, engine.nextEventMs());
  }

  private completeTransfers(): void {
    const { records, nowMs } = this;
    for (const row of this.network.advance(nowMs)) {
      records.kvTransferMs[row] = nowMs - this.readStartMs[row]!;
      const prefill = records.prefillWorker[row]!;
      const decode = records.decodeWorker[row]!;
      this.engines[decode]!.kvArrived(row, nowMs);
      this.clocks.set(decode, this.engines[decode]!.nextEventMs());
      this.engines[prefill]!.kvSent(row, nowMs);
      this.clocks.set(prefill, this.engines[prefill]!.nextEventMs());
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

  private requestMs(worker: number): number {
    return this.setup.network.hopMs + this.workers[worker]!.requestOverheadMs;
  }

  private responseMs(worker: number): number {
    return this.setup.network.hopMs + this.workers[worker]!.responseOverheadMs;
  }

  // Results ------------------------------------------------------------------------------------------------

  private result(): RunResult {
    const { records } = this;
    const { workload } = this.setup;
    this.timeline.sampleUntil(this.lastEndMs);
    return {
      records,
      gaps: this.gaps.build(),
      workers: this.workers.map((_, worker) => this.workerRecord(worker)),
      branches: [...this.branches.keys()],
      timeline: this.timeline.rows(),
      durationMs: this.lastEndMs - (workload.count > 0 ? records.sentMs.reduce((a, b) => Math.min(a, b)) : 0),
      events: this.events,
      steps: this.engines.reduce((sum, engine) => sum + engine.totals().steps, 0),
      notes: workload.notes,
    };
  }

  private workerRecord(worker: number): WorkerRecord {
    const totals = this.engines[worker]!.totals();
    return {
      id: this.workers[worker]!.id,
      role: worker < this.prefillWorkers ? "prefill" : "decode",
      requests: this.legs[worker]!,
      busyMs: totals.busyMs,
      maxRunning: totals.maxRunning,
      maxWaiting: totals.maxWaiting,
      kvPeak: totals.kvPeak,
      promptTokens: totals.promptTokens,
      hitTokens: totals.hitTokens,
      preemptions: totals.preemptions,
    };
  }

  private stuck(): WorkError {
    const row = this.phase.findIndex((phase) => phase !== ENDED);
    return new WorkError(
      `simulation stopped at ${this.nowMs} ms with ${this.setup.workload.count - this.ended} requests open ` +
        `(first: request ${row}, phase ${this.phase[row]!})`,
      "PDB_ERR_STUCK",
    );
  }
}

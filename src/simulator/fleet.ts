import { createEngine } from "../engine/engine.js";
import { TransferNetwork } from "../engine/kv-transfer.js";
import type { Engine, LegRequest } from "../engine/types.js";
import type { WorkerRecord } from "../measure/records.js";
import type { WorkerSpec } from "../routing/types.js";
import { Earliest } from "./earliest.js";
import type { KvEventFeed } from "./kv-event-feed.js";
import { LegListener, type LegEvents } from "./leg-listener.js";
import type { FleetSetup, WorkerSetup } from "./setup.js";

/**
 * The engines of a run, prefill workers first, with the network between them and the time of whichever acts
 * next.
 */
export class Fleet {
  readonly engines: readonly Engine[];
  readonly network: TransferNetwork;
  readonly prefillWorkers: number;
  private readonly workers: readonly WorkerSetup[];
  private readonly hopMs: number;
  private readonly clocks: Earliest;
  /** Legs sent to each worker. */
  private readonly legs: Int32Array;

  /** @param kvEvents hears of the engines' prefix caches, or null where nobody goes by that */
  constructor(setup: FleetSetup, events: LegEvents, kvEvents: KvEventFeed | null) {
    const { prefill, decode, network } = setup;
    this.workers = [...prefill, ...decode];
    this.prefillWorkers = prefill.length;
    this.hopMs = network.hopMs;
    this.engines = this.workers.map(({ engine, stepTime }, worker) =>
      createEngine(
        engine,
        stepTime,
        new LegListener(events, worker, kvEvents?.listenerOf(worker)),
        setup.time,
      ),
    );
    const links = this.workers.map(() => network.bandwidthGbps);
    this.network = new TransferNetwork({
      senderGbps: links,
      receiverGbps: links,
      latencyMs: network.latencyMs,
      contention: network.contention,
    });
    this.clocks = new Earliest(this.workers.length);
    this.legs = new Int32Array(this.workers.length);
  }

  /** The workers as the router knows them. */
  workerSpecs(): WorkerSpec[] {
    return this.workers.map(({ id, engine }, worker) => ({
      id,
      leg: this.isPrefill(worker) ? "prefill" : "decode",
      maxNumBatchedTokens: engine.maxNumBatchedTokens,
      kvCapacityTokens: (engine.numGpuBlocks - 1) * engine.blockSize,
    }));
  }

  isPrefill(worker: number): boolean {
    return worker < this.prefillWorkers;
  }

  /** Time at which the next engine acts by itself. */
  nextMs(): number {
    return this.clocks.atMs();
  }

  /** Lets that engine act. */
  advanceNext(): void {
    const atMs = this.clocks.atMs();
    const worker = this.clocks.entity();
    this.engines[worker]!.advance(atMs);
    this.touch(worker);
  }

  /** @returns false where the engine would refuse the request at once. */
  submit(worker: number, request: LegRequest, nowMs: number): boolean {
    const engine = this.engines[worker]!;
    this.legs[worker]!++;
    if (engine.reject(request) !== null) return false;
    engine.submit(request, nowMs);
    this.touch(worker);
    return true;
  }

  abort(worker: number, id: number, nowMs: number): void {
    this.engines[worker]!.abort(id, nowMs);
    this.touch(worker);
  }

  /** The prefill engine may let go of the KV of request `id`. */
  kvSent(worker: number, id: number, nowMs: number): void {
    this.engines[worker]!.kvSent(id, nowMs);
    this.touch(worker);
  }

  /** Starts to move the KV of `tokens` tokens; vLLM moves whole blocks. */
  startTransfer(id: number, from: number, to: number, tokens: number, nowMs: number): void {
    const { kvBytesPerToken, engine } = this.workers[from]!;
    const blocks = Math.ceil(tokens / engine.blockSize);
    this.network.start(id, from, to, blocks * engine.blockSize * kvBytesPerToken, nowMs);
  }

  /** The KV of request `id` has arrived: both engines learn of it. */
  transferred(id: number, from: number, to: number, nowMs: number): void {
    this.engines[to]!.kvArrived(id, nowMs);
    this.touch(to);
    this.kvSent(from, id, nowMs);
  }

  /** From the router to the worker's queue, ms. */
  requestMs(worker: number): number {
    return this.hopMs + this.workers[worker]!.requestOverheadMs;
  }

  /** From the end of a step on the worker to the router, ms. */
  responseMs(worker: number): number {
    return this.hopMs + this.workers[worker]!.responseOverheadMs;
  }

  heldKvTimeoutMs(worker: number): number {
    return this.workers[worker]!.heldKvTimeoutMs;
  }

  steps(): number {
    return this.engines.reduce((sum, engine) => sum + engine.totals().steps, 0);
  }

  records(): WorkerRecord[] {
    return this.workers.map(({ id }, worker) => {
      const totals = this.engines[worker]!.totals();
      return {
        id,
        role: this.isPrefill(worker) ? "prefill" : "decode",
        requests: this.legs[worker]!,
        busyMs: totals.busyMs,
        maxRunning: totals.maxRunning,
        maxWaiting: totals.maxWaiting,
        kvPeak: totals.kvPeak,
        promptTokens: totals.promptTokens,
        hitTokens: totals.hitTokens,
        preemptions: totals.preemptions,
      };
    });
  }

  private touch(worker: number): void {
    this.clocks.set(worker, this.engines[worker]!.nextEventMs());
  }
}

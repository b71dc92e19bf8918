import type { KvListener } from "../engine/types.js";
import type { RequestRouter } from "../routing/router-replicas.js";
import { usesKvEvents } from "../routing/signals-used.js";
import { expandSpan } from "../values/block-span.js";
import { randomStream, type Random } from "../values/random.js";
import { blockSpanOf, type Workload } from "../workload/workload.js";
import { EventQueue } from "./event-queue.js";
import type { SignalSetup, SimulationSetup } from "./setup.js";

/**
 * Brings the engines' KV events to routers that index them, late or not at all.
 *
 * A trace block counts as stored on a worker once every engine block of it is there, and as removed as soon as one
 * is not. What an engine publishes at one instant is one message, as vLLM sends one for each step: it takes
 * `kvEventDelayMs` to the router or is lost as a whole, and nobody asks for lost ones again. A removal that is lost
 * leaves the router believing in a block that is gone until the engine stores and removes it once more.
 */
export class KvEventFeed {
  private readonly delayMs: number;
  private readonly loss: number;
  private readonly random: Random;
  private readonly workers: readonly WorkerBlocks[];
  private readonly queue = new EventQueue();

  /**
   * @param blockSizes tokens of an engine block, by worker
   * @param nowMs the simulation's clock
   */
  constructor(
    workload: Workload,
    blockSizes: readonly number[],
    signals: SignalSetup,
    seed: number,
    nowMs: () => number,
  ) {
    this.delayMs = signals.kvEventDelayMs;
    this.loss = signals.kvEventLoss;
    this.random = randomStream(seed, "kv-events");
    const symbols = symbolCount(workload);
    this.workers = blockSizes.map((blockSize, worker) => {
      let messageMs = -Infinity;
      let isLost = false;
      return new WorkerBlocks(workload, blockSize, symbols, (isStored, symbol) => {
        const atMs = nowMs();
        if (atMs !== messageMs) isLost = this.loss > 0 && this.random.nextFloat() < this.loss;
        messageMs = atMs;
        if (!isLost) this.queue.push(atMs + this.delayMs, worker, isStored, symbol);
      });
    });
  }

  /** What an engine is to be given as its listener. */
  listenerOf(worker: number): KvListener {
    return this.workers[worker]!;
  }

  /** Tells the router what has reached it by `nowMs`. */
  deliver(router: RequestRouter, nowMs: number): void {
    this.queue.takeUntil(nowMs, (worker, isStored, symbols) =>
      router.onKvEvent({ worker, kind: isStored ? "stored" : "removed", symbols }),
    );
  }
}

/** The feed of a run, or null where KV events are neither late nor lost, or nobody goes by them. */
export function kvEventFeed(setup: SimulationSetup, nowMs: () => number): KvEventFeed | null {
  const { workload, prefill, decode, router, signals, seed } = setup;
  const isExact = signals.kvEventDelayMs === 0 && signals.kvEventLoss === 0;
  if (isExact || !usesKvEvents(router)) return null;
  const blockSizes = [...prefill, ...decode].map(({ engine }) => engine.blockSize);
  return new KvEventFeed(workload, blockSizes, signals, seed, nowMs);
}

/** Which trace blocks one engine holds, from the engine blocks it stores and removes. */
class WorkerBlocks implements KvListener {
  private readonly tell: (isStored: boolean, symbol: number) => void;
  /** Engine blocks of one trace block; below 1 where an engine block holds several. */
  private readonly perSymbol: number;
  /** By trace block: the one before it in its prompt; only where an engine block holds several. */
  private readonly before: Int32Array | null;
  /** Physical blocks of each key that is held. */
  private readonly copies = new Map<number, number>();
  /** Keys held of each trace block. */
  private readonly held: Int32Array;

  constructor(
    workload: Workload,
    blockSize: number,
    symbols: number,
    tell: (isStored: boolean, symbol: number) => void,
  ) {
    this.tell = tell;
    this.perSymbol = workload.blocks.blockTokens / blockSize;
    this.before = this.perSymbol < 1 ? blocksBefore(workload, symbols) : null;
    this.held = new Int32Array(symbols);
  }

  onKvStored(firstKey: number, count: number): void {
    if (firstKey < 0) return;
    for (let key = firstKey; key < firstKey + count; key++) {
      const copies = this.copies.get(key) ?? 0;
      this.copies.set(key, copies + 1);
      if (copies === 0) this.change(key, 1);
    }
  }

  onKvRemoved(key: number): void {
    if (key < 0) return;
    const copies = this.copies.get(key)! - 1;
    if (copies > 0) {
      this.copies.set(key, copies);
      return;
    }
    this.copies.delete(key);
    this.change(key, -1);
  }

  /** The engine holds one key more or less. */
  private change(key: number, by: 1 | -1): void {
    if (this.before === null) {
      this.count(Math.floor(key / this.perSymbol), by, this.perSymbol);
      return;
    }
    // An engine block has the id of its last trace block.
    let symbol = key;
    for (let i = 0; i < 1 / this.perSymbol; i++) {
      this.count(symbol, by, 1);
      symbol = this.before[symbol]!;
    }
  }

  private count(symbol: number, by: 1 | -1, needed: number): void {
    const { held } = this;
    const before = held[symbol]!;
    held[symbol] = before + by;
    if (by === 1 && before + 1 === needed) this.tell(true, symbol);
    if (by === -1 && before === needed) this.tell(false, symbol);
  }
}

/** One more than the highest block id of a workload. */
function symbolCount({ blocks: { runId, runCount } }: Workload): number {
  let count = 0;
  for (let run = 0; run < runId.length; run++) count = Math.max(count, runId[run]! + runCount[run]!);
  return count;
}

/** The block before each block in its prompt; an id names all that precedes it, so there is only one. */
function blocksBefore(workload: Workload, symbols: number): Int32Array {
  const before = new Int32Array(symbols).fill(-1);
  let ids = new Int32Array(256);
  for (let row = 0; row < workload.count; row++) {
    const span = blockSpanOf(workload, row);
    let length = expandSpan(span, ids, ids.length);
    while (length === ids.length) {
      ids = new Int32Array(2 * ids.length);
      length = expandSpan(span, ids, ids.length);
    }
    for (let i = 1; i < length; i++) before[ids[i]!] = ids[i - 1]!;
  }
  return before;
}

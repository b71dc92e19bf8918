import type { ScheduledView, StepView } from "../../src/engine/observer.js";
import type { Leg } from "../leg.js";
import type { KvCacheEvent } from "./kv-events.js";

/**
 * Tells which blocks of an engine's prefix cache were stored and removed, from what its steps say of physical
 * blocks. vLLM publishes a block when it schedules the tokens that fill it; here that is told when the step ends.
 */
export class KvEventTracker {
  private readonly blockSize: number;
  private readonly legOf: (id: number) => Leg | undefined;
  /** By physical block: hash of the content it is published under. */
  private readonly hashes = new Map<number, bigint>();
  /** Physical blocks of legs, in the order of their tokens. */
  private readonly tables = new WeakMap<Leg, number[]>();

  /** @param legOf the leg behind an id of the engine */
  constructor(blockSize: number, legOf: (id: number) => Leg | undefined) {
    this.blockSize = blockSize;
    this.legOf = legOf;
  }

  /** Events of one step, in order. */
  onStep(step: StepView): KvCacheEvent[] {
    const events: KvCacheEvent[] = [];
    for (const block of step.evicted) {
      const hash = this.hashes.get(block);
      if (hash !== undefined) events.push({ kind: "removed", hashes: [hash] });
      this.hashes.delete(block);
    }
    for (const view of step.scheduled) {
      const stored = this.stored(view);
      if (stored !== null) events.push(stored);
    }
    return events;
  }

  /** The whole cache has been given up. */
  clear(): KvCacheEvent {
    this.hashes.clear();
    return { kind: "cleared" };
  }

  /** The blocks that a scheduled request has filled, unless they are published already. */
  private stored(view: ScheduledView): KvCacheEvent | null {
    const leg = this.legOf(view.id);
    if (leg === undefined) return null;
    const table = this.tableOf(leg, view);
    const { content, spec } = leg;
    const filled = Math.min(
      Math.floor((view.computedBefore + view.tokens) / this.blockSize),
      content.hashes.low.length,
    );
    let first = filled;
    while (first > 0 && this.hashes.get(table[first - 1]!) !== hashAt(leg, first - 1)) first--;
    if (first === filled) return null;
    const hashes: bigint[] = [];
    for (let block = first; block < filled; block++) {
      hashes.push(hashAt(leg, block));
      this.hashes.set(table[block]!, hashes.at(-1)!);
    }
    return {
      kind: "stored",
      hashes,
      parent: first === 0 ? null : hashAt(leg, first - 1),
      tokens: [...spec.tokens.subarray(first * this.blockSize, filled * this.blockSize)],
      lora: spec.lora,
    };
  }

  /** An admitted request brings its whole table, a running one what it got in this step. */
  private tableOf(leg: Leg, view: ScheduledView): readonly number[] {
    const known = this.tables.get(leg);
    if (known === undefined || view.kind !== "running") {
      const table = [...view.blocks];
      this.tables.set(leg, table);
      return table;
    }
    known.push(...view.blocks);
    return known;
  }
}

function hashAt(leg: Leg, block: number): bigint {
  const { high, low } = leg.content.hashes;
  return (BigInt(high[block]!) << 32n) | BigInt(low[block]!);
}

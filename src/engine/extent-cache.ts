import { WorkError } from "../errors.js";
import type { BlockContent } from "./block-content.js";
import { GroupTable } from "./group-table.js";
import { grownInts } from "./grow.js";
import { KvBlocks, type BlockTable, type KvCacheConfig, type PrefixHits } from "./kv-blocks.js";
import type { KvListener } from "./types.js";

/** Keys of one group: consecutive keys share a hash entry, and an extent lies in one group. */
const GROUP_KEYS = 128;

/**
 * What is kept of each extent, side by side in one array; an extent's name is where its record begins. Extent 0
 * is the sentinel of the free queue.
 */
const RECORD = 16;
/** Slot of its group, -1 for blocks without a key. */
const SLOT = 0;
/** Place of its first key in the group. */
const PLACE = 1;
const COUNT = 2;
/** Requests that hold it; all its blocks are held by the same ones. */
const REFS = 3;
/** Neighbours in the free queue. */
const NEXT = 4;
const PREVIOUS = 5;
/** Neighbours among the extents of the group in order of publication, 0 = none. */
const LATER = 6;
const EARLIER = 7;
/** Where it was cut: the extent that has its later blocks. Means something only to those that hold both. */
const REST = 8;

/** Numbers of a part in `PrefixHits.blocks`: an extent and the places from and to. */
const PART = 3;

/**
 * The KV cache as extents: blocks of consecutive keys that were published, are held and are free together. It hands
 * out, finds and evicts what `KvCache` does, in the same order, but its blocks have no ids, and a thousand of them
 * cost as much as one.
 *
 * An extent is cut where a request hits or an eviction takes only part of it. In the free queue its last block
 * comes first.
 */
export class ExtentCache extends KvBlocks {
  private records = new Int32Array(64 * RECORD);
  /** Where records end. */
  private end = RECORD;
  /** Extents that are not in use, chained by NEXT; 0 = none. */
  private spare = 0;
  private readonly groups = new GroupTable();
  /** First and last published extent of each group. */
  private first = new Int32Array(64);
  private last = new Int32Array(64);
  private readonly hits: PrefixHits = { blocks: new Int32Array(32 * PART), length: 0, unreferenced: 0 };
  private parts = 0;
  /** Scratch of `release`: the extents of one entry of a table. */
  private readonly cut: number[] = [];

  constructor(config: KvCacheConfig) {
    super(config);
    if (this.usable > 0) this.freeUnkeyed(0, this.usable);
  }

  freeQueue(): number[] {
    throw new WorkError("a cache of extents has no block ids");
  }

  freeKeys(): number[] {
    const { records, groups } = this;
    const keys: number[] = [];
    for (let extent = records[NEXT]!; extent !== 0; extent = records[extent + NEXT]!) {
      const slot = records[extent + SLOT]!;
      const first = slot < 0 ? NaN : groups.keyOf(slot) * GROUP_KEYS + records[extent + PLACE]!;
      for (let i = records[extent + COUNT]! - 1; i >= 0; i--) keys.push(first + i);
    }
    return keys;
  }

  lookup(content: BlockContent, knownTokens: number): PrefixHits {
    const { hits, records, groups } = this;
    const limit = this.caching ? Math.floor((knownTokens - 1) / this.blockSize) : 0;
    let length = 0;
    hits.unreferenced = 0;
    this.parts = 0;
    while (length < limit) {
      const key = content.key(length);
      const group = Math.floor(key / GROUP_KEYS);
      const slot = groups.find(group);
      if (slot < 0) break;
      const from = key - group * GROUP_KEYS;
      const to = Math.min(GROUP_KEYS, from + Math.min(content.consecutive(length), limit - length));
      let place = from;
      while (place < to) {
        let until = to;
        let extent = this.first[slot]!;
        for (; extent !== 0; extent = records[extent + LATER]!) {
          const start = records[extent + PLACE]!;
          const end = start + records[extent + COUNT]!;
          if (start > place) {
            if (start < until) until = start;
          } else if (end > place) {
            if (end < until) until = end;
            break;
          }
        }
        if (extent === 0) break;
        if (records[extent + REFS] === 0) hits.unreferenced += until - place;
        this.addPart(extent, place, until);
        place = until;
      }
      length += place - from;
      if (place < to) break;
    }
    hits.length = length;
    return hits;
  }

  noHits(): PrefixHits {
    this.hits.length = 0;
    this.hits.unreferenced = 0;
    this.parts = 0;
    return this.hits;
  }

  take(table: BlockTable, content: BlockContent, tokens: number, hittable: number, hits: PrefixHits): void {
    if (hits.length > 0) this.reference(table, hits);
    const target = Math.ceil(tokens / this.blockSize);
    if (target > table.length) {
      this.takeNew(target - table.length);
      table.length = target;
    }
    this.publish(table, content, hittable);
  }

  takeOne(table: BlockTable): void {
    this.takeNew(1);
    table.length++;
  }

  publish(table: BlockTable, content: BlockContent, tokens: number): void {
    if (!this.caching) return;
    const full = Math.floor(tokens / this.blockSize);
    while (table.published < full) {
      const at = table.published;
      const key = content.key(at);
      const group = Math.floor(key / GROUP_KEYS);
      const place = key - group * GROUP_KEYS;
      const count = Math.min(GROUP_KEYS - place, content.consecutive(at), full - at);
      const slot = this.groups.find(group);
      if (slot < 0) this.publishNew(table, this.openGroup(group), place, count);
      else if (!this.extendLast(table, slot, place, count)) this.publishNew(table, slot, place, count);
      if (this.listener !== null) this.listener.onKvStored(key, count);
      table.published = at + count;
    }
  }

  release(table: BlockTable): void {
    const unkeyed = table.length - table.published;
    if (unkeyed > 0) this.freeUnkeyed(this.unkeyedToHead ? 0 : this.records[PREVIOUS]!, unkeyed);
    const { records, cut } = this;
    let freed = unkeyed;
    for (let entry = 2 * table.extents - 2; entry >= 0; entry -= 2) {
      let extent = table.blocks[entry]!;
      let count = records[extent + COUNT]!;
      for (let left = table.blocks[entry + 1]!; left > count; count = records[extent + COUNT]!) {
        left -= count;
        cut.push(extent);
        extent = records[extent + REST]!;
      }
      for (;;) {
        if (--records[extent + REFS]! === 0) {
          this.enqueue(extent, records[PREVIOUS]!);
          freed += records[extent + COUNT]!;
        }
        if (cut.length === 0) break;
        extent = cut.pop()!;
      }
    }
    this.free += freed;
    table.length = 0;
    table.published = 0;
    table.extents = 0;
  }

  private addPart(extent: number, from: number, to: number): void {
    const { hits } = this;
    const at = PART * this.parts++;
    if (at === hits.blocks.length) hits.blocks = grownInts(hits.blocks);
    hits.blocks[at] = extent;
    hits.blocks[at + 1] = from;
    hits.blocks[at + 2] = to;
  }

  private reference(table: BlockTable, hits: PrefixHits): void {
    for (let part = 0; part < this.parts; part++) {
      const at = PART * part;
      const from = hits.blocks[at + 1]!;
      const to = hits.blocks[at + 2]!;
      let extent = hits.blocks[at]!;
      // An earlier part may have been cut out of the same extent.
      while (from >= this.endOf(extent)) extent = this.records[extent + REST]!;
      const start = this.records[extent + PLACE]!;
      if (from > start) extent = this.split(extent, from - start);
      if (to < this.endOf(extent)) this.split(extent, to - from);
      if (this.records[extent + REFS]!++ === 0) this.dequeue(extent);
      addEntry(table, extent, to - from);
    }
    table.length += hits.length;
    table.published += hits.length;
    this.free -= hits.unreferenced;
  }

  private endOf(extent: number): number {
    return this.records[extent + PLACE]! + this.records[extent + COUNT]!;
  }

  /** Takes blocks from the head of the free queue; what they held is forgotten. */
  private takeNew(blocks: number): void {
    const { records } = this;
    let left = blocks;
    while (left > 0) {
      const extent = records[NEXT]!;
      const count = records[extent + COUNT]!;
      if (this.listener !== null) this.tellRemoved(this.listener, extent, Math.min(count, left));
      if (count > left) {
        records[extent + COUNT] = count - left;
        break;
      }
      left -= count;
      this.dequeue(extent);
      if (records[extent + SLOT]! >= 0) this.forget(extent);
      records[extent + NEXT] = this.spare;
      this.spare = extent;
    }
    this.free -= blocks;
  }

  /** The last `count` blocks of a free extent are handed out again, the very last first. */
  private tellRemoved(listener: KvListener, extent: number, count: number): void {
    const slot = this.records[extent + SLOT]!;
    if (slot < 0) return;
    const end = this.groups.keyOf(slot) * GROUP_KEYS + this.endOf(extent);
    for (let key = end - 1; key >= end - count; key--) listener.onKvRemoved(key);
  }

  /** Cuts an extent after `count` blocks and returns the new one that has the rest. */
  private split(extent: number, count: number): number {
    const rest = this.newExtent();
    const { records } = this;
    const slot = records[extent + SLOT]!;
    records[rest + SLOT] = slot;
    records[rest + PLACE] = records[extent + PLACE]! + count;
    records[rest + COUNT] = records[extent + COUNT]! - count;
    records[rest + REFS] = records[extent + REFS]!;
    records[rest + REST] = records[extent + REST]!;
    records[extent + COUNT] = count;
    records[extent + REST] = rest;
    this.insertLater(rest, extent, slot);
    if (records[extent + REFS] === 0) this.enqueue(rest, records[extent + PREVIOUS]!);
    return rest;
  }

  /**
   * Adds blocks to the last extent of the table where they follow it, nobody else holds it, and nobody has
   * published the same: for then it makes no difference which of them was published when.
   */
  private extendLast(table: BlockTable, slot: number, place: number, count: number): boolean {
    if (table.extents === 0) return false;
    const { records } = this;
    const entry = 2 * table.extents - 2;
    let extent = table.blocks[entry]!;
    let left = table.blocks[entry + 1]!;
    while (left > records[extent + COUNT]!) {
      left -= records[extent + COUNT]!;
      extent = records[extent + REST]!;
    }
    if (records[extent + SLOT] !== slot || records[extent + REFS] !== 1 || this.endOf(extent) !== place) {
      return false;
    }
    for (let other = this.first[slot]!; other !== 0; other = records[other + LATER]!) {
      if (records[other + PLACE]! < place + count && this.endOf(other) > place) return false;
    }
    records[extent + COUNT]! += count;
    table.blocks[entry + 1]! += count;
    return true;
  }

  private publishNew(table: BlockTable, slot: number, place: number, count: number): void {
    const extent = this.newExtent();
    const { records } = this;
    records[extent + SLOT] = slot;
    records[extent + PLACE] = place;
    records[extent + COUNT] = count;
    records[extent + REFS] = 1;
    this.insertLater(extent, this.last[slot]!, slot);
    addEntry(table, extent, count);
  }

  /** Puts blocks without a key behind extent `before` of the free queue; 0 = at its head. */
  private freeUnkeyed(before: number, count: number): void {
    if (before !== 0 && this.records[before + SLOT]! < 0) {
      this.records[before + COUNT]! += count;
      return;
    }
    const extent = this.newExtent();
    this.records[extent + SLOT] = -1;
    this.records[extent + PLACE] = 0;
    this.records[extent + COUNT] = count;
    this.records[extent + REFS] = 0;
    this.enqueue(extent, before);
  }

  private enqueue(extent: number, before: number): void {
    const { records } = this;
    const after = records[before + NEXT]!;
    records[extent + NEXT] = after;
    records[extent + PREVIOUS] = before;
    records[before + NEXT] = extent;
    records[after + PREVIOUS] = extent;
  }

  private dequeue(extent: number): void {
    const { records } = this;
    const before = records[extent + PREVIOUS]!;
    const after = records[extent + NEXT]!;
    records[before + NEXT] = after;
    records[after + PREVIOUS] = before;
  }

  /** Puts an extent behind another one of its group, or alone into it (`earlier` 0). */
  private insertLater(extent: number, earlier: number, slot: number): void {
    const { records, first, last } = this;
    const later = earlier === 0 ? 0 : records[earlier + LATER]!;
    records[extent + EARLIER] = earlier;
    records[extent + LATER] = later;
    if (earlier === 0) first[slot] = extent;
    else records[earlier + LATER] = extent;
    if (later === 0) last[slot] = extent;
    else records[later + EARLIER] = extent;
  }

  /** Takes an extent out of its group. */
  private forget(extent: number): void {
    const { records, first, last } = this;
    const slot = records[extent + SLOT]!;
    const earlier = records[extent + EARLIER]!;
    const later = records[extent + LATER]!;
    if (earlier === 0) first[slot] = later;
    else records[earlier + LATER] = later;
    if (later === 0) last[slot] = earlier;
    else records[later + EARLIER] = earlier;
    if (earlier === 0 && later === 0) this.groups.close(slot);
  }

  private openGroup(group: number): number {
    const slot = this.groups.open(group);
    if (slot === this.first.length) {
      this.first = grownInts(this.first);
      this.last = grownInts(this.last);
    }
    this.first[slot] = 0;
    this.last[slot] = 0;
    return slot;
  }

  private newExtent(): number {
    const extent = this.spare;
    if (extent !== 0) {
      this.spare = this.records[extent + NEXT]!;
      return extent;
    }
    if (this.end === this.records.length) this.records = grownInts(this.records);
    this.end += RECORD;
    return this.end - RECORD;
  }
}

function addEntry(table: BlockTable, extent: number, count: number): void {
  const at = 2 * table.extents++;
  if (at >= table.blocks.length) {
    const wider = new Int32Array(Math.max(16, 2 * table.blocks.length));
    wider.set(table.blocks);
    table.blocks = wider;
  }
  table.blocks[at] = extent;
  table.blocks[at + 1] = count;
}

import type { BlockContent } from "./block-content.js";
import { blockRecords, ENTRY, RECORD, STATE } from "./block-records.js";
import { FreeQueue } from "./free-queue.js";
import { KvBlocks, type BlockTable, type KvCacheConfig, type PrefixHits } from "./kv-blocks.js";
import { GROUP_KEYS, groupOfKey, placeInGroup, PrefixIndex, slotOfEntry } from "./prefix-index.js";

/** The KV cache exact to the block id, as vLLM has it: what golden schedules and servers that name blocks need. */
export class KvCache extends KvBlocks {
  private readonly records: Int32Array;
  private readonly queue: FreeQueue;
  private readonly index: PrefixIndex;
  /** Scratch of `release`: blocks that go to the head of the queue. */
  private readonly toHead: number[] = [];
  private readonly hits: PrefixHits = { blocks: new Int32Array(64), length: 0, unreferenced: 0 };

  constructor(config: KvCacheConfig) {
    super(config);
    this.records = blockRecords(config.numGpuBlocks);
    this.queue = new FreeQueue(config.numGpuBlocks, this.records);
    this.index = new PrefixIndex(config.numGpuBlocks, this.records);
  }

  freeQueue(): number[] {
    return this.queue.toArray();
  }

  freeKeys(): number[] {
    return this.queue.toArray().map((block) => {
      const entry = Math.abs(this.records[block * RECORD + ENTRY]!);
      return entry === 0 ? NaN : this.index.keyOfEntry(entry - 1);
    });
  }

  lookup(content: BlockContent, knownTokens: number): PrefixHits {
    const { hits, index, records } = this;
    const limit = this.caching ? Math.floor((knownTokens - 1) / this.blockSize) : 0;
    if (hits.blocks.length < limit) hits.blocks = new Int32Array(limit * 2);
    const { blocks } = hits;
    let length = 0;
    let unreferenced = 0;
    while (length < limit) {
      const key = content.key(length);
      const entry = index.findGroup(groupOfKey(key));
      if (entry < 0) break;
      const place = placeInGroup(key);
      const end = Math.min(limit, length + Math.min(content.consecutive(length), GROUP_KEYS - place));
      const shift = entry + place - length;
      const { holders } = index;
      while (length < end) {
        const block = holders[shift + length]!;
        const record = block * RECORD;
        if (Math.abs(records[record + ENTRY]!) !== shift + length + 1) break;
        if (records[record + STATE]! <= 0) unreferenced++;
        blocks[length++] = block;
      }
      if (length < end) break;
    }
    hits.length = length;
    hits.unreferenced = unreferenced;
    return hits;
  }

  noHits(): PrefixHits {
    this.hits.length = 0;
    this.hits.unreferenced = 0;
    return this.hits;
  }

  /** Content that nobody has yet is published as its blocks are taken, while their records are at hand. */
  take(table: BlockTable, content: BlockContent, tokens: number, hittable: number, hits: PrefixHits): void {
    const target = Math.max(Math.ceil(tokens / this.blockSize), table.length + hits.length);
    if (table.blocks.length < target) table.blocks = widened(table.blocks, target);
    this.reference(table, hits);
    const full = this.caching ? Math.min(Math.floor(hittable / this.blockSize), target) : 0;
    while (table.published === table.length && table.length < full) {
      const from = table.length;
      const key = content.key(from);
      const place = placeInGroup(key);
      const to = Math.min(full, from + Math.min(content.consecutive(from), GROUP_KEYS - place));
      const entry = this.index.openEmpty(groupOfKey(key), place, to - from);
      this.takeNew(table, to, entry + 1);
      if (entry < 0) this.index.publish(groupOfKey(key), place, table.blocks, from, to);
      if (this.listener !== null) this.listener.onKvStored(key, to - from);
      table.published = to;
    }
    this.takeNew(table, target, 0);
    this.publish(table, content, hittable);
  }

  takeOne(table: BlockTable): void {
    if (table.blocks.length === table.length) table.blocks = widened(table.blocks, table.length + 1);
    this.takeNew(table, table.length + 1, 0);
  }

  publish(table: BlockTable, content: BlockContent, tokens: number): void {
    if (!this.caching) return;
    const full = Math.floor(tokens / this.blockSize);
    let j = table.published;
    while (j < full) {
      const key = content.key(j);
      const place = placeInGroup(key);
      const end = Math.min(full, j + Math.min(content.consecutive(j), GROUP_KEYS - place));
      this.index.publish(groupOfKey(key), place, table.blocks, j, end);
      if (this.listener !== null) this.listener.onKvStored(key, end - j);
      j = end;
    }
    if (full > table.published) table.published = full;
  }

  release(table: BlockTable): void {
    const { records, queue, unkeyedToHead, toHead } = this;
    const { blocks } = table;
    queue.reserve(table.length);
    const { ring, mask } = queue;
    const first = queue.tail;
    let tail = first;
    for (let i = table.length - 1; i >= 0; i--) {
      const block = blocks[i]!;
      const record = block * RECORD;
      const references = records[record + STATE]! - 1;
      if (references > 0) {
        records[record + STATE] = references;
      } else if (unkeyedToHead && records[record + ENTRY] === 0) {
        toHead.push(block);
      } else {
        const place = tail++ & mask;
        records[record + STATE] = -place;
        ring[place] = block;
      }
    }
    queue.tail = tail;
    this.free += tail - first + toHead.length;
    if (toHead.length > 0) {
      queue.prepend(toHead);
      toHead.length = 0;
    }
    table.length = 0;
    table.published = 0;
  }

  private reference(table: BlockTable, hits: PrefixHits): void {
    const { records, queue } = this;
    const { blocks } = table;
    const held = table.length;
    for (let i = 0; i < hits.length; i++) {
      const block = hits.blocks[i]!;
      const state = records[block * RECORD + STATE]!;
      if (state <= 0) queue.remove(block);
      records[block * RECORD + STATE] = Math.max(state, 0) + 1;
      blocks[held + i] = block;
    }
    table.length = held + hits.length;
    table.published += hits.length;
    this.free -= hits.unreferenced;
  }

  /** Takes blocks from the head of the queue; those given an entry (from 1) are published under it and the next. */
  private takeNew(table: BlockTable, target: number, firstEntry: number): void {
    const { records, queue, evicted, index, listener } = this;
    const { ring, mask } = queue;
    const { holders } = index;
    const { blocks } = table;
    let { head } = queue;
    let entry = firstEntry;
    // Blocks freed together lose their keys together: their group is told once.
    let slot = -1;
    let forgotten = 0;
    for (let i = table.length; i < target; i++) {
      let block = ring[head++ & mask]!;
      while (block === 0) block = ring[head++ & mask]!;
      const record = block * RECORD;
      const oldEntry = records[record + ENTRY]!;
      records[record + STATE] = 1;
      records[record + ENTRY] = entry;
      blocks[i] = block;
      if (entry > 0) holders[entry++ - 1] = block;
      if (oldEntry === 0) continue;
      if (evicted !== null) evicted.push(block);
      if (listener !== null) listener.onKvRemoved(index.keyOfEntry(Math.abs(oldEntry) - 1));
      if (oldEntry < 0) {
        index.dropCopy(block, -oldEntry - 1);
        continue;
      }
      const group = slotOfEntry(oldEntry - 1);
      if (group !== slot) {
        if (forgotten > 0) index.forget(slot, forgotten);
        slot = group;
        forgotten = 0;
      }
      forgotten++;
    }
    if (forgotten > 0) index.forget(slot, forgotten);
    queue.head = head;
    this.free -= target - table.length;
    table.length = target;
  }
}

function widened(blocks: Int32Array, needed: number): Int32Array {
  const wider = new Int32Array(Math.max(needed, blocks.length * 2, 16));
  wider.set(blocks);
  return wider;
}

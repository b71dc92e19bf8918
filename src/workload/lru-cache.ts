const ABSENT = -2;
const NONE = -1;

/**
 * A pool of prefix blocks that evicts the least recently used, with dense ids. Of one request the tail counts
 * as used first and the head last, so that tails are evicted before the blocks they follow, as in vLLM.
 */
export class LruCache {
  private readonly capacity: number;
  /** Neighbours in the order of use, by id; `older` is ABSENT for a block that is not in the pool. */
  private readonly older: Int32Array;
  private readonly newer: Int32Array;
  private newest = NONE;
  private oldest = NONE;
  private size = 0;

  /** @param distinct ids are below this number. */
  constructor(capacity: number, distinct: number) {
    this.capacity = capacity;
    this.older = new Int32Array(distinct).fill(ABSENT);
    this.newer = new Int32Array(distinct);
  }

  /** How many of the first `count` blocks are in the pool without a gap from the start. */
  leadingHits(blocks: Int32Array, count: number): number {
    let hits = 0;
    while (hits < count && this.older[blocks[hits]!] !== ABSENT) hits++;
    return hits;
  }

  /** Uses the first `count` blocks, putting in those that are missing. */
  use(blocks: Int32Array, count: number): void {
    for (let i = count - 1; i >= 0; i--) {
      const id = blocks[i]!;
      if (this.older[id] === ABSENT) {
        this.size++;
      } else {
        this.unlink(id);
      }
      this.linkNewest(id);
      if (this.size > this.capacity) this.evictOldest();
    }
  }

  private linkNewest(id: number): void {
    this.older[id] = this.newest;
    this.newer[id] = NONE;
    if (this.newest === NONE) this.oldest = id;
    else this.newer[this.newest] = id;
    this.newest = id;
  }

  private unlink(id: number): void {
    const older = this.older[id]!;
    const newer = this.newer[id]!;
    if (older === NONE) this.oldest = newer;
    else this.newer[older] = newer;
    if (newer === NONE) this.newest = older;
    else this.older[newer] = older;
  }

  private evictOldest(): void {
    const id = this.oldest;
    this.unlink(id);
    this.older[id] = ABSENT;
    this.size--;
  }
}

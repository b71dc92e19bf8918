import type { BlockHashes } from "./block-hashes.js";

/**
 * KV blocks on a storage that all engines of the process share, by content (vLLM's SharedStorageConnector):
 * engines write what they have prefilled and read what others have. The least recently used blocks go first.
 */
export class SharedStorage {
  private readonly capacity: number;
  /** Least recently used first. */
  private readonly blocks = new Set<string>();

  constructor(capacityBlocks: number) {
    this.capacity = capacityBlocks;
  }

  /** How many of the first `limit` blocks are stored, from the start. */
  leadingBlocks(hashes: BlockHashes, limit: number): number {
    let found = 0;
    while (found < limit && this.blocks.has(nameOf(hashes, found))) found++;
    return found;
  }

  /** Stores the first `count` blocks, or marks them as used again. */
  store(hashes: BlockHashes, count: number): void {
    for (let block = 0; block < count; block++) {
      const name = nameOf(hashes, block);
      this.blocks.delete(name);
      this.blocks.add(name);
    }
    for (const name of this.blocks) {
      if (this.blocks.size <= this.capacity) break;
      this.blocks.delete(name);
    }
  }
}

function nameOf(hashes: BlockHashes, block: number): string {
  return `${hashes.high[block]!.toString(36)}.${hashes.low[block]!.toString(36)}`;
}

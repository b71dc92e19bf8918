import { int32Column } from "./column.js";
import type { BlockWriter } from "./trace-rows.js";

const EMPTY = -1;
const ROOT = -1;

/**
 * Gives chained ids to blocks of token ids: two requests get the same id for a block exactly when all their
 * tokens up to its end are the same. Blocks are compared token by token, not by hash alone.
 */
export class TokenInterner {
  private readonly table: BlockWriter;
  private readonly blockTokens: number;
  /** Of each known block: the id before it, and its tokens. The id of block k is `ids.at(k)`. */
  private readonly parents = int32Column();
  private readonly tokens = int32Column();
  private readonly ids = int32Column();
  /** Open addressing: numbers of known blocks. */
  private slots = new Int32Array(1 << 12).fill(EMPTY);

  constructor(table: BlockWriter, blockTokens: number) {
    this.table = table;
    this.blockTokens = blockTokens;
  }

  /** Adds the full blocks of one request's tokens (prompt, then output) to the current row of the table. */
  append(tokens: readonly number[]): void {
    let parent = ROOT;
    for (let start = 0; start + this.blockTokens <= tokens.length; start += this.blockTokens) {
      parent = this.intern(parent, tokens, start);
      this.table.append(parent, 1);
    }
  }

  private intern(parent: number, tokens: readonly number[], start: number): number {
    if (2 * (this.ids.length + 1) > this.slots.length) this.grow();
    const mask = this.slots.length - 1;
    let slot = this.hash(parent, (i) => tokens[start + i]!) & mask;
    while (this.slots[slot] !== EMPTY) {
      const block = this.slots[slot]!;
      if (this.holds(block, parent, tokens, start)) return this.ids.at(block);
      slot = (slot + 1) & mask;
    }
    const id = this.table.allocate(1);
    this.slots[slot] = this.ids.length;
    this.ids.push(id);
    this.parents.push(parent);
    for (let i = 0; i < this.blockTokens; i++) this.tokens.push(tokens[start + i]!);
    return id;
  }

  private holds(block: number, parent: number, tokens: readonly number[], start: number): boolean {
    if (this.parents.at(block) !== parent) return false;
    const first = block * this.blockTokens;
    for (let i = 0; i < this.blockTokens; i++) {
      if (this.tokens.at(first + i) !== tokens[start + i]) return false;
    }
    return true;
  }

  private grow(): void {
    this.slots = new Int32Array(2 * this.slots.length).fill(EMPTY);
    const mask = this.slots.length - 1;
    for (let block = 0; block < this.ids.length; block++) {
      const first = block * this.blockTokens;
      let slot = this.hash(this.parents.at(block), (i) => this.tokens.at(first + i)) & mask;
      while (this.slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      this.slots[slot] = block;
    }
  }

  /** FNV-1a over the parent and the tokens, finished as in MurmurHash3. */
  private hash(parent: number, tokenAt: (i: number) => number): number {
    let hash = Math.imul(0x811c9dc5 ^ parent, 0x01000193);
    for (let i = 0; i < this.blockTokens; i++) hash = Math.imul(hash ^ tokenAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }
}

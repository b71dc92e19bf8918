/** Chained 64-bit hashes of the full KV blocks of a token sequence, as two columns of 32 bits. */
export interface BlockHashes {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

/** What prefixes are told apart by besides their tokens: LoRA adapter and `cache_salt`. */
export function rootHash(lora: string | null, cacheSalt: string | null): number {
  const text = `${lora ?? ""}\0${cacheSalt ?? ""}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * Hashes of the blocks of `tokens`: each stands for its own tokens and all before them. Two lanes of the
 * MurmurHash3 mix with different constants; equal on every machine.
 */
export function hashBlocks(tokens: Int32Array, blockSize: number, root: number): BlockHashes {
  const blocks = Math.floor(tokens.length / blockSize);
  const high = new Uint32Array(blocks);
  const low = new Uint32Array(blocks);
  let a = root | 0;
  let b = ~root;
  for (let block = 0; block < blocks; block++) {
    const end = (block + 1) * blockSize;
    for (let i = block * blockSize; i < end; i++) {
      a = mixA(a, tokens[i]!);
      b = mixB(b, tokens[i]!);
    }
    high[block] = finish(a);
    low[block] = finish(b);
  }
  return { high, low };
}

/** A name for the first `length` tokens, whatever blocks they fill. */
export function prefixKey(tokens: Int32Array, length: number, root: number): string {
  let a = root | 0;
  let b = ~root;
  for (let i = 0; i < length; i++) {
    a = mixA(a, tokens[i]!);
    b = mixB(b, tokens[i]!);
  }
  return `${length}:${finish(a).toString(16)}:${finish(b).toString(16)}`;
}

/** One seed from a token sequence. */
export function tokenSeed(tokens: ArrayLike<number>): number {
  let hash = 0;
  for (let i = 0; i < tokens.length; i++) hash = mixA(hash, tokens[i]!);
  return finish(hash);
}

function mixA(hash: number, token: number): number {
  let k = Math.imul(token, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  hash ^= Math.imul(k, 0x1b873593);
  hash = (hash << 13) | (hash >>> 19);
  return (Math.imul(hash, 5) + 0xe6546b64) | 0;
}

function mixB(hash: number, token: number): number {
  let k = Math.imul(token, 0x239b961b);
  k = (k << 16) | (k >>> 16);
  hash ^= Math.imul(k, 0x38b34ae5);
  hash = (hash << 17) | (hash >>> 15);
  return (Math.imul(hash, 5) + 0x0bcaa747) | 0;
}

function finish(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

import { Murmur64 } from "./murmur64.js";

const SEED = 4193360111;
const MAX_TRIES = 32;
/** Bits that a try of `furc` skips. */
const STRIDE = 23;
const BUCKETS = 2 ** 23 - 1;

/**
 * The hash of vllm-router's hash policies (0.1.14, `consistent_hash.rs`): Facebook mcrouter's furc_hash into
 * 2^23 - 1 buckets, and MurmurHash64A of the bucket. It has at most 8,388,607 different values.
 */
export class FbiHash {
  /** Upper and lower half of the last hash, as unsigned 32-bit integers. */
  hi = 0;
  lo = 0;

  private readonly murmur = new Murmur64(SEED);
  private readonly encoder = new TextEncoder();
  private buffer = new Uint8Array(256);
  /** Bytes of `buffer` that a key takes to which something is appended. */
  private keyLength = 0;
  /** Bits of the key, 64 a word, lower half first: word 0 is its hash, each later one the hash of the one before. */
  private readonly bits = new Int32Array(2 * (MAX_TRIES * STRIDE + 2));
  private words = 0;

  /** Hashes the UTF-8 bytes of a string. */
  ofString(key: string): void {
    this.encode(key);
    this.ofBucket(this.furc(BUCKETS));
  }

  /** Hashes integers as little-endian 32-bit words. */
  ofWords(words: Int32Array, length: number): void {
    this.murmur.words(words, length);
    this.ofBucket(this.furc(BUCKETS));
  }

  /** furc_hash of a string into `buckets` buckets. */
  furcOfString(key: string, buckets: number): number {
    this.encode(key);
    return this.furc(buckets);
  }

  /** The key that `ofKeyWith` appends to. */
  beginKey(key: string): void {
    this.keyLength = this.write(key);
  }

  /** Hashes the UTF-8 bytes of the key that was begun and those of what follows it. */
  ofKeyWith(ending: Uint8Array): void {
    const { keyLength } = this;
    const length = keyLength + ending.length;
    if (this.buffer.length < length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.buffer);
      this.buffer = larger;
    }
    for (let i = 0; i < ending.length; i++) this.buffer[keyLength + i] = ending[i]!;
    this.murmur.bytes(this.buffer, length);
    this.ofBucket(this.furc(BUCKETS));
  }

  private encode(key: string): void {
    // Before the buffer is read: a long key gets a new one.
    const length = this.write(key);
    this.murmur.bytes(this.buffer, length);
  }

  private write(key: string): number {
    if (this.buffer.length < 3 * key.length) this.buffer = new Uint8Array(6 * key.length);
    return this.encoder.encodeInto(key, this.buffer).written;
  }

  private ofBucket(bucket: number): void {
    this.murmur.integer(bucket);
    this.hi = this.murmur.hi >>> 0;
    this.lo = this.murmur.lo >>> 0;
  }

  /** furc_hash of the key whose hash `murmur` holds. */
  private furc(buckets: number): number {
    const { bits } = this;
    bits[0] = this.murmur.lo;
    bits[1] = this.murmur.hi;
    this.words = 1;
    if (buckets <= 1) return 0;
    let depth = Math.ceil(Math.log2(buckets));
    let at = depth;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      this.makeBits(at);
      while (!isSet(bits, at)) {
        if (depth === 0) return 0;
        at = --depth;
      }
      this.makeBits(at + STRIDE * (depth - 1));
      at += STRIDE;
      let bucket = 1;
      for (let level = 1; level < depth; level++) {
        bucket = (bucket << 1) | ((bits[at >> 5]! >>> (at & 31)) & 1);
        at += STRIDE;
      }
      if (bucket < buckets) return bucket;
    }
    return 0;
  }

  /** Works out the bits of the key up to number `last`. */
  private makeBits(last: number): void {
    const wanted = (last >> 6) + 1;
    if (wanted <= this.words) return;
    this.murmur.chain(this.bits, this.words, wanted);
    this.words = wanted;
  }
}

function isSet(bits: Int32Array, at: number): boolean {
  return ((bits[at >> 5]! >>> (at & 31)) & 1) === 1;
}

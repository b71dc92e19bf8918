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
  /** Bit words of the key: the first is its hash, each later one the hash of the one before. */
  private readonly wordsHi = new Int32Array(MAX_TRIES * STRIDE + 2);
  private readonly wordsLo = new Int32Array(MAX_TRIES * STRIDE + 2);
  private words = 0;
  private readonly bucketBytes = new Uint8Array(4);

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

  private encode(key: string): void {
    if (this.buffer.length < 3 * key.length) this.buffer = new Uint8Array(6 * key.length);
    const { written } = this.encoder.encodeInto(key, this.buffer);
    this.murmur.bytes(this.buffer, written);
  }

  private ofBucket(bucket: number): void {
    for (let i = 0; i < 4; i++) this.bucketBytes[i] = bucket >>> (8 * i);
    this.murmur.bytes(this.bucketBytes, 4);
    this.hi = this.murmur.hi >>> 0;
    this.lo = this.murmur.lo >>> 0;
  }

  /** furc_hash of the key whose hash `murmur` holds. */
  private furc(buckets: number): number {
    this.wordsHi[0] = this.murmur.hi;
    this.wordsLo[0] = this.murmur.lo;
    this.words = 1;
    if (buckets <= 1) return 0;
    let depth = Math.ceil(Math.log2(buckets));
    let at = depth;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      while (!this.bit(at)) {
        if (depth === 0) return 0;
        at = --depth;
      }
      at += STRIDE;
      let bucket = 1;
      for (let level = 1; level < depth; level++) {
        bucket = (bucket << 1) | Number(this.bit(at));
        at += STRIDE;
      }
      if (bucket < buckets) return bucket;
    }
    return 0;
  }

  private bit(index: number): boolean {
    const at = index >> 6;
    while (this.words <= at) {
      this.murmur.again();
      this.wordsHi[this.words] = this.murmur.hi;
      this.wordsLo[this.words++] = this.murmur.lo;
    }
    const within = index & 63;
    return within < 32
      ? ((this.wordsLo[at]! >>> within) & 1) === 1
      : ((this.wordsHi[at]! >>> (within - 32)) & 1) === 1;
  }
}

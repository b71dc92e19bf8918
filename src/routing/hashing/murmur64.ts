/**
 * MurmurHash64A (Austin Appleby, public domain) on pairs of 32-bit halves: JavaScript has no 64-bit integers
 * that are fast. The result is left in `hi` and `lo`, so that hashing allocates nothing.
 */
const M_HI = 0xc6a4a793;
const M_LO = 0x5bd1e995;
const M_LO_LOW = M_LO & 0xffff;
const M_LO_HIGH = M_LO >>> 16;

/** Upper half of `hash * M` modulo 2^64; the lower one is `Math.imul(lo, M_LO)`. All of it in 32-bit integers. */
function timesM(hi: number, lo: number): number {
  const low = lo & 0xffff;
  const high = lo >>> 16;
  const middle = (Math.imul(high, M_LO_LOW) + (Math.imul(low, M_LO_LOW) >>> 16)) | 0;
  const cross = (Math.imul(low, M_LO_HIGH) + (middle & 0xffff)) | 0;
  const carry = (Math.imul(high, M_LO_HIGH) + (middle >>> 16) + (cross >>> 16)) | 0;
  return (carry + Math.imul(hi, M_LO) + Math.imul(lo, M_HI)) | 0;
}

export class Murmur64 {
  /** Upper and lower half of the last hash, as signed 32-bit integers. */
  hi = 0;
  lo = 0;

  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed | 0;
  }

  /** Hashes the first `length` bytes. */
  bytes(bytes: Uint8Array, length: number): void {
    this.begin(length);
    const whole = length & ~7;
    for (let i = 0; i < whole; i += 8) this.block(word(bytes, i), word(bytes, i + 4));
    if (whole < length) this.tail(bytes, whole, length);
    this.finish();
  }

  /** Hashes the first `length` integers as little-endian 32-bit words. */
  words(words: Int32Array, length: number): void {
    this.begin(4 * length);
    const whole = length & ~1;
    for (let i = 0; i < whole; i += 2) this.block(words[i]!, words[i + 1]!);
    if (whole < length) {
      this.lo ^= words[whole]!;
      this.multiply();
    }
    this.finish();
  }

  /** Hashes one integer as a little-endian 32-bit word. */
  integer(value: number): void {
    this.begin(4);
    this.lo ^= value;
    this.multiply();
    this.finish();
  }

  /**
   * Hashes the 8 bytes of the last hash, and those of each hash that this gives: writes the lower and the upper half of
   * hash i, counted from 0 = the last hash so far, to `out[2 i]` and `out[2 i + 1]`, for `from <= i < to`.
   */
  chain(out: Int32Array, from: number, to: number): void {
    this.begin(8);
    const beginHi = this.hi;
    const beginLo = this.lo;
    let lo = out[2 * from - 2]!;
    let hi = out[2 * from - 1]!;
    for (let i = from; i < to; i++) {
      // `block`, then `finish`, in local variables.
      hi = timesM(hi, lo);
      lo = Math.imul(lo, M_LO) ^ (hi >>> 15);
      hi = timesM(hi, lo) ^ beginHi;
      lo = Math.imul(lo, M_LO) ^ beginLo;
      hi = timesM(hi, lo);
      lo = Math.imul(lo, M_LO) ^ (hi >>> 15);
      hi = timesM(hi, lo);
      lo = Math.imul(lo, M_LO) ^ (hi >>> 15);
      out[2 * i] = lo;
      out[2 * i + 1] = hi;
    }
  }

  private begin(length: number): void {
    this.hi = 0;
    this.lo = length;
    this.multiply();
    this.lo ^= this.seed;
  }

  private block(lo: number, hi: number): void {
    const hashHi = this.hi;
    const hashLo = this.lo;
    this.hi = hi;
    this.lo = lo;
    this.multiply();
    this.lo ^= this.hi >>> 15;
    this.multiply();
    this.hi ^= hashHi;
    this.lo ^= hashLo;
    this.multiply();
  }

  private tail(bytes: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const shift = 8 * (i - from);
      if (shift < 32) this.lo ^= bytes[i]! << shift;
      else this.hi ^= bytes[i]! << (shift - 32);
    }
    this.multiply();
  }

  private finish(): void {
    this.lo ^= this.hi >>> 15;
    this.multiply();
    this.lo ^= this.hi >>> 15;
  }

  private multiply(): void {
    this.hi = timesM(this.hi, this.lo);
    this.lo = Math.imul(this.lo, M_LO);
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

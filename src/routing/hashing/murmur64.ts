/**
 * MurmurHash64A (Austin Appleby, public domain) on pairs of 32-bit halves: JavaScript has no 64-bit integers
 * that are fast. The result is left in `hi` and `lo`, so that hashing allocates nothing.
 */
const M_HI = 0xc6a4a793;
const M_LO = 0x5bd1e995;

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

  /** Hashes the 8 bytes of the last hash. */
  again(): void {
    const { hi, lo } = this;
    this.begin(8);
    this.block(lo, hi);
    this.finish();
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

  /** hash = hash * M modulo 2^64, by 16-bit limbs of the lower halves. */
  private multiply(): void {
    const { hi, lo } = this;
    const a0 = lo & 0xffff;
    const a1 = lo >>> 16;
    const b0 = M_LO & 0xffff;
    const b1 = M_LO >>> 16;
    const low = a0 * b0;
    const middle = a1 * b0 + (low >>> 16);
    const cross = a0 * b1 + (middle & 0xffff);
    const carry = a1 * b1 + (middle >>> 16) + (cross >>> 16);
    this.lo = Math.imul(lo, M_LO);
    this.hi = (carry + Math.imul(hi, M_LO) + Math.imul(lo, M_HI)) | 0;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

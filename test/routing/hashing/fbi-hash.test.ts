import { describe, expect, it } from "vitest";
import { FbiHash } from "../../../src/routing/hashing/fbi-hash.js";

/** Computed from vllm-router's own code (research notes on vllm-router, 1.5). */
const VECTORS = [
  ["", 6173600, "c0663e029346e424"],
  ["a", 7695180, "29d1ab12ec5fea11"],
  ["hello", 4189030, "cf31517d75d7ac16"],
  ["header:x-session-id:session-1", 101640, "d6e00c7c1744568b"],
  ["http://w1:8000:0", 2343105, "33f2d09e5831d9e2"],
  ["http://127.0.0.1:8000@3:159", 3048169, "3a3023cb29c55ff7"],
  ["request:hello:http://w1:8000", 672519, "eac127b068dc7f69"],
] as const;

describe("FbiHash", () => {
  const hash = new FbiHash();

  it.each(VECTORS)("hashes %j as vllm-router does", (key, furc, fbi) => {
    expect(hash.furcOfString(key, 2 ** 23 - 1)).toBe(furc);
    hash.ofString(key);
    expect(hex(hash.hi) + hex(hash.lo)).toBe(fbi);
  });

  it("hashes integers as their little-endian bytes", () => {
    hash.ofString("abcdefgh");
    const ofBytes = [hash.hi, hash.lo];
    hash.ofWords(Int32Array.of(0x64636261, 0x68676665), 2);
    expect([hash.hi, hash.lo]).toEqual(ofBytes);
  });

  it("hashes an odd number of integers as their bytes too", () => {
    hash.ofString("abcdefghijkl");
    const ofBytes = [hash.hi, hash.lo];
    hash.ofWords(Int32Array.of(0x64636261, 0x68676665, 0x6c6b6a69), 3);
    expect([hash.hi, hash.lo]).toEqual(ofBytes);
  });

  it("hashes a key and what follows it as one string", () => {
    for (const key of ["", "a", "session-é", "k".repeat(700)]) {
      hash.ofString(`${key}:http://w1:8000`);
      const whole = [hash.hi, hash.lo];
      hash.beginKey(key);
      hash.ofKeyWith(new TextEncoder().encode(":http://w1:8000"));
      expect([hash.hi, hash.lo]).toEqual(whole);
    }
  });

  it("hashes a key longer than its buffer as one that finds room", () => {
    const key = "x".repeat(10_000);
    const fresh = new FbiHash();
    fresh.ofString(key);
    const first = [fresh.hi, fresh.lo];
    fresh.ofString(key);
    expect([fresh.hi, fresh.lo]).toEqual(first);
  });

  it("hashes keys longer than its buffer", () => {
    hash.ofString("x".repeat(10_000));
    const long = [hash.hi, hash.lo];
    hash.ofString("x".repeat(10_001));
    expect([hash.hi, hash.lo]).not.toEqual(long);
  });

  it("puts everything into the only bucket", () => {
    expect(hash.furcOfString("hello", 1)).toBe(0);
  });
});

function hex(half: number): string {
  return half.toString(16).padStart(8, "0");
}

import { describe, expect, it } from "vitest";
import { encodeKvEvents } from "../../../mock-engines/events/kv-events.js";
import { encodeMsgpack, Float } from "../../../mock-engines/events/msgpack.js";

describe("msgpack", () => {
  it.each([
    ["nothing", null, "c0"],
    ["0", 0, "00"],
    ["127", 127, "7f"],
    ["128", 128, "cc80"],
    ["256", 256, "cd0100"],
    ["65,536", 65_536, "ce00010000"],
    ["2^32", 2 ** 32, "cf0000000100000000"],
    ["the largest 64-bit number", 2n ** 64n - 1n, "cfffffffffffffffff"],
    ["-1", -1, "ff"],
    ["-33", -33, "d3ffffffffffffffdf"],
    ["a double", new Float(1), "cb3ff0000000000000"],
    ["a short text", "GPU", "a3475055"],
    ["a list", [1, [2]], "920191" + "02"],
    ["a map", { a: 1 }, "81a16101"],
  ])("writes %s as the specification says", (_what, value, hex) => {
    expect(encodeMsgpack(value).toString("hex")).toBe(hex);
  });

  it("writes longer texts, lists and maps with longer heads", () => {
    expect(encodeMsgpack("x".repeat(32)).subarray(0, 2).toString("hex")).toBe("d920");
    expect(encodeMsgpack("x".repeat(256)).subarray(0, 5).toString("hex")).toBe("db00000100");
    expect(encodeMsgpack(Array(16).fill(0)).subarray(0, 3).toString("hex")).toBe("dc0010");
    expect(encodeMsgpack(Array(65_536).fill(0)).subarray(0, 5).toString("hex")).toBe("dd00010000");
  });
});

describe("a batch of KV events", () => {
  const stored = { kind: "stored", hashes: [1n], parent: null, tokens: [5, 6], lora: null } as const;

  it("has positional fields in the older form of vLLM", () => {
    const batch = encodeKvEvents([stored, { kind: "cleared" }], 2, 0, 1.5, "array");
    const expected = encodeMsgpack([
      new Float(1.5),
      [["BlockStored", [1], null, [5, 6], 2, null, "GPU", null], ["AllBlocksCleared"]],
      0,
    ]);
    expect(batch).toEqual(expected);
  });

  it("has named fields in the newer form", () => {
    const batch = encodeKvEvents([{ kind: "removed", hashes: [7n] }], 2, 3, 2, "map");
    const expected = encodeMsgpack({
      ts: new Float(2),
      events: [{ type: "BlockRemoved", block_hashes: [7], medium: "GPU" }],
      data_parallel_rank: 3,
    });
    expect(batch).toEqual(expected);
  });
});

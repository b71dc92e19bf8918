import { describe, expect, it } from "vitest";
import { generateWorkload } from "../../src/workload/generate-workload.js";
import { readTrace } from "../../src/workload/read-trace.js";
import { traceStats } from "../../src/workload/trace-stats.js";
import { traceStatsText } from "../../src/workload/trace-stats-text.js";
import { traceFile } from "./trace-file.js";

const LINES = [
  { arrival_s: 0, input_tokens: 10, output_tokens: 1, block_ids: [0], block_tokens: 16, session: "a" },
  { arrival_s: 1, input_tokens: 20, output_tokens: 2, block_ids: [0, 1], block_tokens: 16, session: "a" },
  { arrival_s: 2, input_tokens: 40, output_tokens: 9, block_ids: [2, 3, 4], block_tokens: 16, session: "b" },
  { arrival_s: 4, input_tokens: 20, output_tokens: 4, block_ids: [0, 1], block_tokens: 16 },
];

describe("traceStats", () => {
  it("gives lengths with percentiles of type 7, rates, sessions and hit ratios", async () => {
    const stats = traceStats(await readTrace(traceFile(LINES)), [2]);
    expect(stats).toMatchObject({
      requests: 4,
      duration_s: 4,
      requests_per_s: 1,
      input_tokens: { mean: 22.5, p50: 20, max: 40 },
      output_tokens: { mean: 4, p50: 3, max: 9 },
      sessions: { count: 2, turns_mean: 1.5 },
      blocks: { block_tokens: 16, total: 8, distinct: 5 },
      hit_ratio: {
        infinite: { blocks: 3 / 8, tokens: (16 + 20) / 90 },
        infinite_with_output: null,
        lru: [{ capacity_blocks: 2, blocks: 1 / 8, tokens: 16 / 90 }],
      },
    });
    expect(stats.input_tokens.p99).toBeCloseTo(39.4, 9);
  });

  it("has the same shape without block ids, with nulls for what is unknown", async () => {
    const lines = LINES.map(({ arrival_s, input_tokens, output_tokens }) => ({
      arrival_s,
      input_tokens,
      output_tokens,
    }));
    const stats = traceStats(await readTrace(traceFile(lines)), [2]);
    expect(stats).toMatchObject({
      sessions: null,
      blocks: { block_tokens: null, total: 0, distinct: 0 },
      sharing: null,
      hit_ratio: {
        infinite: { blocks: null, tokens: null },
        lru: [{ capacity_blocks: 2, blocks: null, tokens: null }],
      },
    });
  });

  it("has no rate where all requests arrive at once", async () => {
    const stats = traceStats(await readTrace(traceFile([LINES[0]!])));
    expect(stats).toMatchObject({ duration_s: 0, requests_per_s: null });
    expect(traceStatsText(stats)).toContain("1 requests in 0 s, all at once");
  });
});

describe("traceStatsText", () => {
  it("fits 100 columns, however large the numbers", () => {
    const chat = generateWorkload("multi_turn_chat", { rate: 900_000 }, { requests: 200_000 });
    const text = traceStatsText(traceStats(chat, [1_000_000_000]));
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(text).toContain("200,000 requests");
    expect(text).toContain("LRU, 1,000,000,000 blocks");
    expect(text.endsWith("\n")).toBe(true);
  });
});

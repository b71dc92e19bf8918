import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { infiniteHitRatioWithOutput, infiniteReuse, lruHitRatio } from "../../src/workload/hit-ratios.js";
import { RawTraceBuilder } from "../../src/workload/raw-trace-builder.js";
import type { RawTrace } from "../../src/workload/raw-trace.js";
import { readTrace } from "../../src/workload/read-trace.js";
import { generateWorkload } from "../../src/workload/generate-workload.js";
import { describeWithSharedData, sharedData } from "../support/shared-data.js";
import { traceFile } from "./trace-file.js";

const BLOCK = 4;

/** Requests with the given prompt blocks; `lastTokens` of the last block are used. */
function traceOf(requests: readonly (readonly number[])[], lastTokens = BLOCK): RawTrace {
  const trace = new RawTraceBuilder(BLOCK);
  trace.tickMs = 0;
  requests.forEach((ids, i) => {
    for (const id of ids) trace.blocks.append(id, 1);
    trace.add({ arrivalMs: i, inputTokens: (ids.length - 1) * BLOCK + lastTokens, outputTokens: 1 });
  });
  return trace.take("test");
}

/** The plainest LRU there is: ids in a list, most recently used last. */
function bruteForce(requests: readonly (readonly number[])[], capacity: number): number {
  let pool: number[] = [];
  let hits = 0;
  let total = 0;
  for (const ids of requests) {
    const misses = ids.findIndex((id) => !pool.includes(id));
    hits += misses < 0 ? ids.length : misses;
    total += ids.length;
    for (const id of ids.toReversed()) pool = [...pool.filter((kept) => kept !== id), id].slice(-capacity);
  }
  return hits / total;
}

/** Requests as paths down a random tree, so that prefixes are shared as in real traces. */
const requests = fc
  .array(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 8 }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((paths) => {
    const ids = new Map<string, number>();
    return paths.map((path) =>
      path.map((_, depth) => {
        const key = path.slice(0, depth + 1).join();
        if (!ids.has(key)) ids.set(key, ids.size);
        return ids.get(key)!;
      }),
    );
  });

describe("lruHitRatio", () => {
  it("agrees with a brute-force LRU at any capacity", () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 30 }), (paths, capacity) => {
        expect(lruHitRatio(traceOf(paths), capacity).blocks).toBe(bruteForce(paths, capacity));
      }),
      { numRuns: 500 },
    );
  });

  it("is that of an unlimited cache once everything fits", () => {
    fc.assert(
      fc.property(requests, (paths) => {
        const trace = traceOf(paths);
        const { blocks, tokens } = infiniteReuse(trace);
        expect(lruHitRatio(trace, trace.distinctBlocks)).toEqual({ blocks, tokens });
      }),
    );
  });

  it.each([
    ["evicts the tail of a prompt before its head", "0 1 2 | 3 | 0 1 2", 3, 2 / 7],
    ["evicts the prompt that was used least recently", "0 | 1 | 0 | 2 | 0 | 1", 2, 2 / 6],
    ["counts what two prompts have in common", "0 1 2 | 0 3 4 | 0 1 2", 4, 3 / 9],
    ["hits nothing in a prompt that is new", "0 1 | 2 3", 4, 0],
    ["keeps the head of a prompt that is longer than the pool", "0 1 2 | 0 1 2", 2, 2 / 6],
  ])("%s", (_name, prompts, capacity, ratio) => {
    expect(lruHitRatio(traceOf(promptsIn(prompts)), capacity).blocks).toBeCloseTo(ratio, 12);
  });
});

function promptsIn(text: string): number[][] {
  return text.split("|").map((prompt) => prompt.trim().split(" ").map(Number));
}

describe("infiniteReuse", () => {
  it("counts blocks, distinct and shared ones, and requests by their hit", () => {
    const reuse = infiniteReuse(traceOf(promptsIn("0 1 | 0 1 | 0 2 | 3")));
    expect(reuse).toMatchObject({ totalBlocks: 7, distinctBlocks: 4, sharedBlocks: 2 });
    expect(reuse.blocks).toBeCloseTo(3 / 7, 12);
    expect(reuse).toMatchObject({
      requestsWithout: 0.5,
      requestsOverHalf: 0.25,
      requestsOverNineTenths: 0.25,
    });
  });

  it("counts no more tokens than the prompt has in a last block that is partly filled", () => {
    const { tokens } = infiniteReuse(traceOf(promptsIn("0 1 | 0 1"), 1));
    expect(tokens).toBe(5 / 10);
  });
});

describe("infiniteHitRatioWithOutput", () => {
  it("finds the answers of earlier turns", () => {
    const chat = { turns_mean: 10, system_prompt_tokens: 0 };
    const trace = generateWorkload("multi_turn_chat", chat, { requests: 2000, seed: 1 });
    const without = infiniteReuse(trace).tokens;
    const withOutput = infiniteHitRatioWithOutput(trace)!.tokens;
    expect(withOutput).toBeGreaterThan(without + 0.1);
    expect(withOutput).toBeGreaterThan(0.9);
  });

  it("is unknown where the trace tells only prompts", () => {
    expect(infiniteHitRatioWithOutput(traceOf([[0], [0]]))).toBeNull();
  });

  it("leaves a block that prompt and output share out of the prompt", async () => {
    const line = {
      arrival_s: 0,
      input_tokens: 24,
      output_tokens: 24,
      block_ids: [0, 1, 2],
      block_tokens: 16,
    };
    const trace = await readTrace(traceFile([line, line]));
    expect(infiniteReuse(trace)).toMatchObject({ totalBlocks: 2, blocks: 0.5, tokens: 16 / 48 });
  });
});

/** ../shared/data/published/lru-hit-ratios-recomputed.csv, columns lru_rev_block and lru_rev_token. */
const PUBLISHED: readonly [file: string, capacity: number, blocks: number, tokens: number][] = [
  ["traces/mooncake-conversation.jsonl", 19, 0.0417, 0.0425],
  ["traces/mooncake-conversation.jsonl", 195, 0.0419, 0.0427],
  ["traces/mooncake-conversation.jsonl", 1000, 0.0445, 0.0454],
  ["traces/mooncake-conversation.jsonl", 1953, 0.0533, 0.0543],
  ["traces/mooncake-conversation.jsonl", 10_000, 0.2116, 0.2157],
  ["traces/mooncake-conversation.jsonl", 30_000, 0.3257, 0.3322],
  ["traces/mooncake-conversation.jsonl", 50_000, 0.3546, 0.3615],
  ["traces/mooncake-conversation.jsonl", 100_000, 0.3637, 0.3708],
  ["traces/mooncake-conversation.jsonl", Infinity, 0.3664, 0.3736],
  ["vllm-runs/workload-sharegpt-llama-3.1-8b-300.jsonl", 1000, 0.0142, 0.0141],
  ["vllm-runs/workload-sharegpt-llama-3.1-8b-300.jsonl", 5000, 0.0476, 0.0472],
  ["vllm-runs/workload-sharegpt-llama-3.1-8b-300.jsonl", 10_000, 0.0765, 0.0759],
];

describeWithSharedData(
  "hit ratios of real traces",
  ["traces/mooncake-conversation.jsonl", "vllm-runs"],
  () => {
    it.each(PUBLISHED)("%s at %d blocks are the published ones", async (file, capacity, blocks, tokens) => {
      const trace = await readTrace(sharedData(file));
      const ratio = capacity === Infinity ? infiniteReuse(trace) : lruHitRatio(trace, capacity);
      expect(Number(ratio.blocks.toFixed(4))).toBe(blocks);
      expect(Number(ratio.tokens.toFixed(4))).toBe(tokens);
    });
  },
);

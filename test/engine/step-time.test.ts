import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { knownCard } from "../../src/engine/hardware.js";
import { stepTimeModel } from "../../src/engine/profile.js";
import type { EngineProfile } from "../../src/engine/profile.js";
import { BUILTIN_PROFILES } from "../../src/engine/profiles/registry.js";
import { buildStepTime } from "../../src/engine/step-time.js";
import type { DecodeLine, StepLoad } from "../../src/engine/types.js";

const LINE = {
  decode: [
    { from_sequences: 1, base_ms: 10, per_sequence_ms: 0.1, per_context_token_ms: 0.001 },
    { from_sequences: 95, base_ms: 5, per_sequence_ms: 0.2, per_context_token_ms: 0.001 },
  ],
  prefill: { floor_ms: 12, base_ms: 4, per_token_ms: 0.05, per_request_ms: 0, per_pair_ms: 1e-6 },
  mixed: { per_sequence_ms: 0.01, per_context_token_ms: 0.002 },
  skew: { decode: 0, mixed: 0 },
  allReduce: null,
  hostMs: 0,
};

function load(change: Partial<StepLoad>): StepLoad {
  return {
    decodes: 0,
    decodeContextTokens: 0,
    decodeMaxContextTokens: 0,
    prefills: 0,
    prefillTokens: 0,
    prefillContextTokens: 0,
    prefillPairs: 0,
    ...change,
  };
}

function chunk(tokens: number, cached: number): Partial<StepLoad> {
  return {
    prefills: 1,
    prefillTokens: tokens,
    prefillContextTokens: cached,
    prefillPairs: tokens * (cached + tokens / 2),
  };
}

function emptyLine(): DecodeLine {
  return { interceptMs: 0, slopeMsPerToken: 0, untilContextTokens: 0 };
}

describe("a linear step time", () => {
  const model = buildStepTime(LINE);

  it.each([
    ["an empty step takes none", {}, 0],
    ["decodes lie on the line", { decodes: 10, decodeContextTokens: 1000 }, 12],
    ["the last batch below a piece uses the piece before", { decodes: 94, decodeContextTokens: 0 }, 19.4],
    ["a batch exactly at a piece uses it", { decodes: 95, decodeContextTokens: 0 }, 24],
    ["a small chunk takes the floor", chunk(100, 0), 12 + 0.005],
    ["a large chunk lies on the line", chunk(1000, 0), 54 + 0.5],
    ["cached context costs pairs", chunk(1000, 2000), 54 + 2.5],
    [
      "decodes join the chunk",
      { ...chunk(1000, 0), decodes: 10, decodeContextTokens: 1000 },
      54.5 + 0.5 + 0.1 + 2,
    ],
  ] as const)("%s", (_, change, expected) => {
    expect(model.stepMs(load(change))).toBeCloseTo(expected, 9);
  });

  it("is never faster with a chunk beside the decodes than without", () => {
    const decodes = { decodes: 80, decodeContextTokens: 100 };
    expect(model.stepMs(load({ ...decodes, ...chunk(1, 0) }))).toBeGreaterThanOrEqual(
      model.stepMs(load(decodes)),
    );
  });

  it("charges the longest context's share of the attention, alone and beside a chunk", () => {
    const skewed = buildStepTime({ ...LINE, skew: { decode: 0.1, mixed: 0.2 } });
    const decodes = { decodes: 4, decodeContextTokens: 400, decodeMaxContextTokens: 250 };
    const both = { ...decodes, ...chunk(1000, 0) };
    expect(skewed.stepMs(load(decodes)) - model.stepMs(load(decodes))).toBeCloseTo(0.1 * 0.001 * 4 * 150, 9);
    expect(skewed.stepMs(load(both)) - model.stepMs(load(both))).toBeCloseTo(0.2 * 0.002 * 4 * 150, 9);
  });

  it("adds the all-reduce of every token and the time on the host to every step", () => {
    const allReduce = { count: 64, latencyUs: 20, bytesPerToken: 8192, gigabytesPerSecond: 16 };
    const slower = buildStepTime({ ...LINE, allReduce, hostMs: 0.5 });
    const decodes = load({ decodes: 10, decodeContextTokens: 1000 });
    const reduceMs = 64 * (0.02 + (10 * 8192) / 16e6);
    expect(slower.stepMs(decodes)).toBeCloseTo(model.stepMs(decodes) + 0.5 + reduceMs, 9);
    const line = emptyLine();
    slower.decodeLine(10, 1000, line, 100);
    expect(line.interceptMs + 1000 * line.slopeMsPerToken).toBeCloseTo(slower.stepMs(decodes), 9);
  });
});

describe("a table of step times", () => {
  const model = buildStepTime({
    ...LINE,
    decode: { sequences: [1, 4], context_tokens: [100, 200, 400], ms: [10, 11, 15, 16, 20, 36] },
    prefill: { chunk_tokens: [100, 200], cached_tokens: [0, 1000], ms: [30, 40, 60, 80] },
    mixed: {
      chunk_tokens: [100, 200],
      cached_tokens: [0],
      sequences: [1, 3],
      context_tokens: [100, 300],
      ms: [40, 44, 48, 60, 70, 74, 78, 90],
    },
  });

  it.each([
    ["a decode grid point", { decodes: 4, decodeContextTokens: 4 * 200 }, 20],
    ["between contexts", { decodes: 1, decodeContextTokens: 150 }, 10.5],
    ["between batches", { decodes: 2, decodeContextTokens: 2 * 100 }, 12],
    ["beyond the last context", { decodes: 1, decodeContextTokens: 500 }, 17],
    ["below the first context", { decodes: 1, decodeContextTokens: 50 }, 9.5],
    ["beyond the last batch", { decodes: 7, decodeContextTokens: 7 * 100 }, 22],
    ["a chunk at a grid point", chunk(200, 1000), 80],
    ["a chunk between grid points", chunk(150, 500), 52.5],
    ["two chunks attend to fewer pairs than one", { ...chunk(200, 0), prefills: 2, prefillPairs: 1e4 }, 59],
    ["a chunk below the grid", chunk(50, 0), 15],
    ["a tiny chunk takes as long as a decode", chunk(1, 0), 9.005],
    ["a mixed grid point", { ...chunk(200, 0), decodes: 3, decodeContextTokens: 900 }, 90],
    ["a mixed step inside a cell", { ...chunk(150, 0), decodes: 2, decodeContextTokens: 400 }, 63],
  ] as const)("%s", (_, change, expected) => {
    expect(model.stepMs(load(change))).toBeCloseTo(expected, 9);
  });
});

describe.each(BUILTIN_PROFILES.map((profile) => [profile.name, profile] as const))("%s", (_, profile) => {
  const model = stepTimeModel(profile);
  const kvTokens = 60_000;

  it("takes on a run of decodes what its straight line says, to the last step on it", () => {
    const batch = fc.record({
      decodes: fc.integer({ min: 1, max: 300 }),
      meanContext: fc.integer({ min: 1, max: 9000 }),
      beyondMean: fc.nat(4000),
      later: fc.nat(3000),
    });
    fc.assert(
      fc.property(batch, ({ decodes, meanContext, beyondMean, later }) => {
        const line = emptyLine();
        const context = decodes * meanContext;
        const longest = meanContext + beyondMean;
        model.decodeLine(decodes, context, line, longest);
        const onLine = Math.floor((line.untilContextTokens - context) / decodes);
        const steps = Math.min(later, onLine);
        const then = context + steps * decodes;
        const ms = model.stepMs(
          load({ decodes, decodeContextTokens: then, decodeMaxContextTokens: longest + steps }),
        );
        expect(onLine).toBeGreaterThanOrEqual(0);
        expect(line.slopeMsPerToken).toBeGreaterThanOrEqual(0);
        expect(line.interceptMs + line.slopeMsPerToken * then).toBeCloseTo(ms, 9);
      }),
    );
  });

  it("has no jumps in the context of decodes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: kvTokens }),
        (decodes, context) => {
          const line = emptyLine();
          model.decodeLine(decodes, context, line, 0);
          if (line.untilContextTokens === Infinity) return;
          const edge = line.untilContextTokens + 1;
          const beyond = model.stepMs(load({ decodes, decodeContextTokens: edge }));
          const before = line.interceptMs + line.slopeMsPerToken * edge;
          expect(Math.abs(before - beyond) / beyond).toBeLessThan(1e-9);
        },
      ),
    );
  });

  it("never takes less time for more work", () => {
    const amount = fc.record({
      chunkTokens: fc.integer({ min: 1, max: 8192 }),
      decodes: fc.integer({ min: 1, max: 128 }),
      context: fc.integer({ min: 16, max: 4096 }),
    });
    fc.assert(
      fc.property(amount, ({ chunkTokens, decodes, context }) => {
        const both = { ...chunk(chunkTokens, 0), decodes, decodeContextTokens: decodes * context };
        const more = { ...both, decodeContextTokens: decodes * (context + 64) };
        const alone = { decodes, decodeContextTokens: decodes * context };
        expect(model.stepMs(load(more))).toBeGreaterThanOrEqual(model.stepMs(load(both)) - 1e-9);
        expect(model.stepMs(load(both))).toBeGreaterThanOrEqual(model.stepMs(load(alone)) - 1e-9);
      }),
    );
  });

  it("does not beat the card: prefill its arithmetic, decode its memory bandwidth", () => {
    const { card } = knownCard(profile.hardware.name)!;
    const tflops = profile.model.weight_bytes === 1 ? card.fp8Tflops : card.bf16Tflops;
    const perCard = activeParameters(profile) / profile.tp;
    const prefillMs = model.stepMs(load(chunk(4096, 0)));
    expect(prefillMs).toBeGreaterThan((2 * perCard * 4096) / (tflops * 1e9));
    const decodeMs = model.stepMs(load({ decodes: 1, decodeContextTokens: 512 }));
    expect(decodeMs).toBeGreaterThan(
      (perCard * profile.model.weight_bytes) / (card.memoryGigabytesPerSecond * 1e6),
    );
  });
});

/** Parameters that one token is multiplied with: no embeddings; 37e9 of DeepSeek-V3's 671e9. */
function activeParameters({ model }: EngineProfile): number {
  return model.name === "DeepSeek-V3" ? 37e9 : model.parameters - 2 * model.vocabulary * model.hidden;
}

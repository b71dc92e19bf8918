import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateWorkload } from "../../src/workload/generate-workload.js";
import { BLOCK_TOKENS } from "../../src/workload/generators/generated-trace.js";
import { GENERATORS } from "../../src/workload/generators/generators.js";
import type { RawTrace } from "../../src/workload/raw-trace.js";
import { idsOf } from "./trace-file.js";

const KINDS = GENERATORS.map(({ name }) => name);

function rowsOfSessions(trace: RawTrace): number[][] {
  const rows = new Map<number, number[]>();
  trace.session.forEach((session, row) => {
    if (session >= 0) rows.set(session, [...(rows.get(session) ?? []), row]);
  });
  return [...rows.values()];
}

function sharedPrefix(a: readonly number[], b: readonly number[]): number {
  let shared = 0;
  while (shared < a.length && a[shared] === b[shared]) shared++;
  return shared;
}

const mean = (column: ArrayLike<number>): number =>
  Array.from(column).reduce((sum, value) => sum + value, 0) / column.length;

describe.each(KINDS)("generator %s", (kind) => {
  it("makes exactly the requests asked for, in order of arrival from 0", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (requests, seed) => {
        const trace = generateWorkload(kind, {}, { requests, seed });
        expect(trace.count).toBe(requests);
        expect(trace.runOffset).toHaveLength(requests + 1);
        expect(trace.arrivalMs[0]).toBe(0);
        for (let row = 1; row < requests; row++) {
          expect(trace.arrivalMs[row]!).toBeGreaterThanOrEqual(trace.arrivalMs[row - 1]!);
        }
        expect(Math.min(...trace.inputTokens, ...trace.outputTokens)).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 30 },
    );
  });

  it("is the same for the same seed and another for another", () => {
    const first = generateWorkload(kind, {}, { requests: 200, seed: 7 });
    expect(generateWorkload(kind, {}, { requests: 200, seed: 7 })).toEqual(first);
    expect(generateWorkload(kind, {}, { requests: 200, seed: 8 }).inputTokens).not.toEqual(first.inputTokens);
  });

  it("covers every full block of prompt and output, or none", () => {
    const trace = generateWorkload(kind, {}, { requests: 300, seed: 2 });
    for (let row = 0; row < trace.count; row++) {
      const full = Math.floor((trace.inputTokens[row]! + trace.outputTokens[row]!) / BLOCK_TOKENS);
      expect([0, full]).toContain(idsOf(trace, row).length);
    }
  });

  it("arrives at the rate asked for, once its first sessions have gone on", () => {
    const trace = generateWorkload(kind, { rate: 20 }, { requests: 60_000, seed: 5 });
    const rate = 40_000 / ((trace.arrivalMs[59_999]! - trace.arrivalMs[19_999]!) / 1000);
    expect(rate).toBeGreaterThan(19);
    expect(rate).toBeLessThan(21);
  });

  it("describes every parameter with a default that is within its bounds", () => {
    for (const spec of GENERATORS.find(({ name }) => name === kind)!.parameters) {
      expect(spec.summary).toMatch(/^[A-Z].*\.$/);
      if (spec.type === "enum") expect(spec.values).toContain(spec.default);
      else {
        expect(spec.default).toBeGreaterThanOrEqual(spec.min!);
        expect(spec.default).toBeLessThanOrEqual(spec.max!);
      }
    }
  });
});

describe("multi_turn_chat", () => {
  it("begins every later turn with all of the turn before", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 1, max: 40 }),
        (seed, system_prompt_tokens, user_tokens_mean) => {
          const trace = generateWorkload(
            "multi_turn_chat",
            { system_prompt_tokens, user_tokens_mean, output_tokens_mean: 30, rate: 50 },
            { requests: 150, seed },
          );
          for (const rows of rowsOfSessions(trace)) {
            for (let turn = 1; turn < rows.length; turn++) {
              const [before, now] = [rows[turn - 1]!, rows[turn]!];
              const history = idsOf(trace, before);
              expect(idsOf(trace, now).slice(0, history.length)).toEqual(history);
              expect(trace.inputTokens[now]!).toBeGreaterThan(
                trace.inputTokens[before]! + trace.outputTokens[before]!,
              );
              expect(trace.thinkMs[now]!).toBeGreaterThanOrEqual(0);
            }
            expect(trace.thinkMs[rows[0]!]).toBeNaN();
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("shares exactly the system prompt's full blocks between sessions", () => {
    const trace = generateWorkload(
      "multi_turn_chat",
      { system_prompt_tokens: 100 },
      { requests: 200, seed: 3 },
    );
    const firstTurns = rowsOfSessions(trace).map((rows) => idsOf(trace, rows[0]!));
    for (const ids of firstTurns.slice(1)) expect(sharedPrefix(firstTurns[0]!, ids)).toBe(6);
  });

  it("has the mean number of turns asked for", () => {
    const trace = generateWorkload(
      "multi_turn_chat",
      { turns_mean: 3, rate: 1 },
      { requests: 30_000, seed: 3 },
    );
    expect(trace.count / rowsOfSessions(trace).length).toBeCloseTo(3, 1);
  });

  it("ends a conversation before its prompt gets too long", () => {
    const trace = generateWorkload(
      "multi_turn_chat",
      { turns_mean: 1000, max_input_tokens: 2000, rate: 100 },
      { requests: 2000, seed: 3 },
    );
    expect(Math.max(...trace.inputTokens)).toBeLessThanOrEqual(2000);
  });
});

describe("best_of_n", () => {
  it("sends groups of one prompt at one instant, with outputs of their own", () => {
    const trace = generateWorkload(
      "best_of_n",
      { samples: 4, prompt_tokens_cv: 0.5 },
      { requests: 40, seed: 9 },
    );
    for (let first = 0; first < trace.count; first += 4) {
      const blocks = Math.floor(trace.inputTokens[first]! / BLOCK_TOKENS);
      for (let row = first + 1; row < first + 4; row++) {
        expect(trace.arrivalMs[row]).toBe(trace.arrivalMs[first]);
        expect(trace.inputTokens[row]).toBe(trace.inputTokens[first]);
        expect(sharedPrefix(idsOf(trace, first), idsOf(trace, row))).toBe(blocks);
      }
    }
  });
});

describe("shared_system_prompt", () => {
  it("begins every request with one of the prompts, the first the most popular", () => {
    const trace = generateWorkload(
      "shared_system_prompt",
      { system_prompts: 3, skew: 1, system_prompt_tokens_mean: 160, system_prompt_tokens_cv: 0 },
      { requests: 6000, seed: 1 },
    );
    const uses = new Map<number, number>();
    for (let row = 0; row < trace.count; row++) {
      const first = idsOf(trace, row)[0]!;
      uses.set(first, (uses.get(first) ?? 0) + 1);
    }
    const shares = [...uses.values()].map((count) => count / trace.count).sort((a, b) => b - a);
    expect(shares).toHaveLength(3);
    [6 / 11, 3 / 11, 2 / 11].forEach((share, i) => expect(shares[i]!).toBeCloseTo(share, 1));
  });
});

describe("long_document", () => {
  it("asks every question of a session about one document, without the answers before", () => {
    const trace = generateWorkload(
      "long_document",
      { document_tokens_mean: 500 },
      { requests: 300, seed: 4 },
    );
    for (const rows of rowsOfSessions(trace)) {
      const [first, ...later] = rows.map((row) => idsOf(trace, row));
      for (const ids of later) {
        const shared = sharedPrefix(first!, ids);
        expect(shared).toBeGreaterThan(0);
        expect(shared).toBeLessThan(Math.max(first!.length, ids.length));
      }
    }
  });
});

describe("lengths", () => {
  it.each([
    ["fixed", 100, 100, 100],
    ["uniform", 75.5, 1, 150],
    ["lognormal", 100, 1, 10_000],
  ])("draws %s lengths", (distribution, expectedMean, min, max) => {
    const trace = generateWorkload(
      "lengths",
      {
        input_distribution: distribution,
        input_tokens_mean: 100,
        input_tokens_cv: 1,
        ...(distribution !== "fixed" && { input_tokens_max: max }),
      },
      { requests: 20_000, seed: 6 },
    );
    expect(mean(trace.inputTokens) / expectedMean).toBeCloseTo(1, 1);
    expect(Math.min(...trace.inputTokens)).toBeGreaterThanOrEqual(min);
    expect(Math.max(...trace.inputTokens)).toBeLessThanOrEqual(max);
    expect(trace.hasBlocks).toBe(false);
  });
});

describe("mixed", () => {
  it("mixes the kinds by their weights", () => {
    const trace = generateWorkload(
      "mixed",
      {
        multi_turn_chat_weight: 0,
        shared_system_prompt_weight: 0,
        long_document_weight: 0,
        best_of_n_weight: 3,
        lengths_weight: 1,
        "best_of_n.samples": 2,
      },
      { requests: 20_000, seed: 6 },
    );
    let withBlocks = 0;
    for (let row = 0; row < trace.count; row++) {
      if (trace.runOffset[row + 1]! > trace.runOffset[row]!) withBlocks++;
    }
    expect(withBlocks / trace.count).toBeCloseTo(0.75, 1);
  });
});

describe("a generator that cannot run", () => {
  const cases: readonly [string, string, Record<string, unknown>, RegExp][] = [
    [
      "an unknown kind",
      "multi_turn_chats",
      {},
      /^generator "multi_turn_chats" is unknown.*did you mean "multi_turn_chat"\?$/,
    ],
    [
      "an unknown parameter",
      "best_of_n",
      { sample: 3 },
      /^generate.sample: unknown parameter, did you mean "samples"\?$/,
    ],
    [
      "a value out of range",
      "best_of_n",
      { samples: 0 },
      /^generate.samples: got 0, expected a whole number from 1 to 10000$/,
    ],
    ["a fraction", "best_of_n", { samples: 1.5 }, /expected a whole number/],
    [
      "an unknown word",
      "lengths",
      { input_distribution: "fix" },
      /expected "lognormal" or "uniform" or "fixed".*did you mean "fixed"/,
    ],
    ["a rate of 0", "lengths", { rate: 0 }, /^generate.rate: got 0, expected a number from/],
    [
      "a minimum above the maximum",
      "lengths",
      { input_tokens_min: 9, input_tokens_max: 8 },
      /expected at most input_tokens_max \(8\)/,
    ],
    [
      "a system prompt that fills the prompt",
      "multi_turn_chat",
      { system_prompt_tokens: 50, max_input_tokens: 50 },
      /less than max_input_tokens/,
    ],
    [
      "no weight at all",
      "mixed",
      Object.fromEntries(KINDS.filter((k) => k !== "mixed").map((k) => [`${k}_weight`, 0])),
      /expected one above 0/,
    ],
  ];
  it.each(cases)("names %s", (_name, kind, parameters, message) => {
    expect(() => generateWorkload(kind, parameters)).toThrow(message);
  });

  it("names a number of requests that makes no sense", () => {
    expect(() => generateWorkload("lengths", {}, { requests: 0 })).toThrow(
      "requests: got 0, expected a whole number",
    );
  });
});

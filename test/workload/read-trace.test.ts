import { describe, expect, it } from "vitest";
import { readTrace } from "../../src/workload/read-trace.js";
import { describeWithSharedData, sharedData } from "../support/shared-data.js";
import { freshPath, idsOf, traceFile } from "./trace-file.js";

const MOONCAKE = [
  { timestamp: 0, input_length: 1000, output_length: 5, hash_ids: [7, 9] },
  { timestamp: 40, input_length: 1500, output_length: 6, hash_ids: [7, 9, 11] },
  { timestamp: 90, input_length: 600, output_length: 7, hash_ids: [7, 12] },
];

/** The same two requests in every format: 0.5 s apart, 40 then 50 prompt tokens, 3 then 4 generated. */
const FORMATS: readonly [name: string, lines: readonly (string | object)[]][] = [
  [
    "mooncake",
    [
      { timestamp: 1000, input_length: 40, output_length: 3, hash_ids: [0] },
      { timestamp: 1500, input_length: 50, output_length: 4, hash_ids: [0] },
    ],
  ],
  [
    "bailian",
    [
      {
        chat_id: 5,
        parent_chat_id: -1,
        timestamp: 61,
        input_length: 40,
        output_length: 3,
        turn: 1,
        hash_ids: [4, 5, 6],
      },
      {
        chat_id: 9,
        parent_chat_id: 5,
        timestamp: 61.5,
        input_length: 50,
        output_length: 4,
        turn: 2,
        hash_ids: [4, 5],
      },
    ],
  ],
  [
    "llmservingsim",
    [
      { input_toks: 40, output_toks: 3, arrival_time_ns: 100_000_000 },
      { input_toks: 50, output_toks: 4, arrival_time_ns: 600_000_000 },
    ],
  ],
  [
    "pdbench",
    [
      {
        arrival_s: 2,
        input_tokens: 40,
        output_tokens: 3,
        block_ids: [0, 1, 2],
        block_tokens: 16,
        session: "a",
      },
      { arrival_s: 2.5, input_tokens: 50, output_tokens: 4, priority: 2, cancel_after_s: null },
    ],
  ],
  [
    "azure",
    [
      "TIMESTAMP,ContextTokens,GeneratedTokens",
      "2023-11-16 18:15:46.6805900,40,3",
      "2023-11-16 18:15:47.1805900,50,4",
    ],
  ],
  [
    "burstgpt",
    [
      "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type",
      "5.0,a,1.5,ChatGPT,40,3,43,Conversation log",
      "5.5,,0.5,GPT-4,50,4,54,API log",
    ],
  ],
];

describe("readTrace", () => {
  for (const [format, lines] of FORMATS) {
    for (const gzip of [false, true]) {
      it(`recognises and reads ${format}${gzip ? ", gzip" : ""}`, async () => {
        const path = traceFile(lines, { gzip });
        const trace = await readTrace(path);
        expect(trace.source).toContain(`(${format})`);
        expect([...trace.arrivalMs].map((ms) => Number(ms.toFixed(6)))).toEqual([0, 500]);
        expect([...trace.inputTokens]).toEqual([40, 50]);
        expect([...trace.outputTokens]).toEqual([3, 4]);
        expect(await readTrace(path, { format })).toEqual(trace);
      });
    }

    it(`reads ${format} with Windows line ends, a byte-order mark and blank lines`, async () => {
      const text = [`\uFEFF${asText(lines[0]!)}`, "", ...lines.slice(1), ""];
      const trace = await readTrace(traceFile(text, { end: "\r\n" }));
      expect([...trace.inputTokens]).toEqual([40, 50]);
    });
  }

  it("renumbers block ids densely in order of first appearance and run-length codes them", async () => {
    const trace = await readTrace(traceFile(MOONCAKE));
    expect([0, 1, 2].map((row) => idsOf(trace, row))).toEqual([
      [0, 1],
      [0, 1, 2],
      [0, 3],
    ]);
    expect([...trace.runOffset]).toEqual([0, 1, 2, 4]);
    expect(trace.distinctBlocks).toBe(4);
    expect(trace.blocks.blockTokens).toBe(512);
  });

  it("tells blocks apart that have one hash but different blocks before them", async () => {
    const rows = [
      [1, 2, 3],
      [1, 3],
      [2, 3],
    ].map((hash_ids, i) => ({
      chat_id: i,
      timestamp: i,
      input_length: 48,
      output_length: 1,
      hash_ids,
    }));
    const trace = await readTrace(traceFile(rows));
    expect([0, 1, 2].map((row) => idsOf(trace, row))).toEqual([
      [0, 1, 2],
      [0, 3],
      [4, 5],
    ]);
  });

  it("gives token blocks one id exactly when they and all before them are equal", async () => {
    const head = Array.from({ length: 16 }, (_, i) => i);
    const other = head.map((token) => token + 1);
    const line = (arrival: number, input: number[], output: number[]): object => ({
      arrival_time_ns: arrival,
      input_toks: input.length,
      output_toks: output.length,
      input_tok_ids: input,
      output_tok_ids: output,
    });
    const trace = await readTrace(
      traceFile([
        line(0, [...head, ...head], [1, 2, 3]),
        line(1, [...head, 5, 6], [...other, 1]),
        line(2, [...head, ...head, 1, 2, 3, 4], []),
        line(3, [...other, ...head], []),
      ]),
    );
    expect([0, 1, 2, 3].map((row) => idsOf(trace, row))).toEqual([
      [0, 1],
      [0, 2],
      [0, 1],
      [3, 4],
    ]);
    expect(trace.coversOutput).toBe(true);
  });

  it("joins the turns of a chat to a session, and starts one where the parent is unknown", async () => {
    const chat = (chat_id: number, parent_chat_id: number): object => ({
      chat_id,
      parent_chat_id,
      timestamp: chat_id,
      input_length: 10,
      output_length: 1,
    });
    const trace = await readTrace(traceFile([chat(1, -1), chat(2, 99), chat(3, 1), chat(4, 3), chat(5, 2)]));
    expect([...trace.session]).toEqual([0, 1, 0, 0, 1]);
    expect(trace.hasBlocks).toBe(false);
  });

  it("leaves out BurstGPT's failures and says so", async () => {
    const header = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type";
    const trace = await readTrace(traceFile([header, "1,GPT-4,10,0,10,API log", "2,GPT-4,11,5,16,API log"]));
    expect([...trace.inputTokens]).toEqual([11]);
    expect(trace.notes).toEqual(["Requests that failed in the trace are left out: 1."]);
  });

  it("takes outputs of 0 tokens for 1 and says so", async () => {
    const rows = [{ ...MOONCAKE[0]!, output_length: 0 }, MOONCAKE[1]!, { ...MOONCAKE[2]!, output_length: 0 }];
    const trace = await readTrace(traceFile(rows), { limit: 2 });
    expect([...trace.outputTokens]).toEqual([1, 6]);
    expect(trace.notes).toEqual(["Requests with 0 output tokens are taken to generate 1: 1 of them."]);
  });

  it("sorts rows by arrival, keeps their blocks with them and says so", async () => {
    const trace = await readTrace(traceFile([MOONCAKE[2]!, MOONCAKE[0]!, MOONCAKE[1]!]));
    expect([...trace.arrivalMs]).toEqual([0, 40, 90]);
    expect([...trace.inputTokens]).toEqual([1000, 1500, 600]);
    expect([0, 1, 2].map((row) => idsOf(trace, row))).toEqual([
      [0, 2],
      [0, 2, 3],
      [0, 1],
    ]);
    expect(trace.notes.join()).toContain("2 rows were not in order");
  });

  it("reads the first rows only, and judges times by more", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      ...MOONCAKE[0]!,
      timestamp: 3000 * Math.floor(i / 10),
    }));
    const trace = await readTrace(traceFile(rows), { limit: 5 });
    expect(trace.count).toBe(5);
    expect(trace.runOffset).toHaveLength(6);
    expect(trace.tickMs).toBe(3000);
  });

  it("reads rows with quoted fields", async () => {
    const lines = ["TIMESTAMP,ContextTokens,GeneratedTokens", '"2023-11-16 18:15:46.5","40",3'];
    expect([...(await readTrace(traceFile(lines))).inputTokens]).toEqual([40]);
  });

  it("reads the first rows of a CSV file only", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i}.0,GPT-4,${i + 1},5,6,API log`);
    const trace = await readTrace(traceFile(["Timestamp,Model,Request tokens,Response tokens", ...rows]), {
      limit: 2,
    });
    expect([...trace.inputTokens]).toEqual([1, 2]);
  });

  it("does not mind bad lines after the wanted rows", async () => {
    const trace = await readTrace(traceFile([...MOONCAKE, "oops"]), { limit: 3 });
    expect(trace.count).toBe(3);
  });

  it("puts columns into shared memory when asked to", async () => {
    const trace = await readTrace(traceFile(MOONCAKE), { shared: true });
    expect(trace.arrivalMs.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(trace.blocks.runId.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(structuredClone(trace).blocks.runId.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});

function asText(line: string | object): string {
  return typeof line === "string" ? line : JSON.stringify(line);
}

describe("a trace that cannot be read", () => {
  const good = MOONCAKE[0]!;
  const azure = "TIMESTAMP,ContextTokens,GeneratedTokens";
  const cases: readonly [name: string, lines: readonly (string | object)[], message: RegExp][] = [
    [
      "a missing field",
      [good, { timestamp: 1, output_length: 2 }],
      /:2: field "input_length": got nothing, expected a whole/,
    ],
    [
      "a negative length",
      [good, good, { ...good, input_length: -5 }],
      /:3: field "input_length": got -5, expected a whole number of at least 1$/,
    ],
    [
      "a time in words",
      [{ ...good, timestamp: "soon" }],
      /:1: field "timestamp": got "soon", expected a number, 0 or more$/,
    ],
    [
      "a wrong id",
      [{ ...good, hash_ids: [1, 2.5] }],
      /:1: field "hash_ids\[1\]": got 2.5, expected a whole number/,
    ],
    [
      "too many ids",
      [{ ...good, hash_ids: [1, 2, 3] }],
      /:1: field "hash_ids": got "3 ids", expected at most 2 \(1000 tokens/,
    ],
    ["broken JSON", [good, '{"timestamp": 4, '], /:2: got .*, expected a JSON object$/],
    ["a list", [good, "[1, 2]"], /:2: got \[1,2\], expected a JSON object$/],
    [
      "unknown fields",
      [{ a: 1, b: 2 }],
      /:1: format not recognised: got fields "a, b", expected those of .*mooncake/,
    ],
    [
      "an unknown header",
      ["a,b,c", "1,2,3"],
      /:1: format not recognised: got fields "a, b, c", expected those of azure/,
    ],
    [
      "a bad CSV number",
      [azure, "2023-11-16 18:15:46,40,3", "2023-11-16 18:15:47,x,3"],
      /:3: field "ContextTokens": got "x"/,
    ],
    [
      "a bad CSV time",
      [azure, "2023-02-30 18:15:46,40,3"],
      /:2: field "TIMESTAMP": got "2023-02-30 18:15:46", expected a time that exists/,
    ],
    ["a short CSV row", [azure, "2023-11-16 18:15:46,40"], /:2: field "GeneratedTokens": got nothing/],
    ["an unclosed quote", [azure, '2023-11-16 18:15:46,"40,3'], /:\d: not CSV/],
    ["only blank lines", ["", ""], /no requests, expected at least one$/],
    ["nothing", [], /no requests, expected at least one$/],
    ["a header alone", [azure], /no requests, expected at least one$/],
  ];
  it.each(cases)("names file, line and field: %s", async (_name, lines, message) => {
    const path = traceFile(lines);
    await expect(readTrace(path)).rejects.toMatchObject({ name: "InputError" });
    const error: unknown = await readTrace(path).catch((error: unknown) => error);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message.startsWith(path)).toBe(true);
    expect((error as Error).message).not.toContain("\n");
  });

  it("is refused when it is missing, a folder, or half a gzip file", async () => {
    const missing = freshPath("missing.jsonl");
    await expect(readTrace(missing)).rejects.toThrow(`${missing}: no such file`);
    await expect(readTrace(sharedFolder())).rejects.toThrow("is a folder");
    const { readFileSync, writeFileSync } = await import("node:fs");
    const rows = Array.from({ length: 5000 }, (_, i) => ({ ...good, timestamp: i * i }));
    const whole = traceFile(rows, { gzip: true });
    const half = freshPath("half.gz");
    writeFileSync(half, readFileSync(whole).subarray(0, 6000));
    await expect(readTrace(half)).rejects.toThrow(`${half}: not a complete gzip file`);
  });

  it("is refused when the format is unknown, naming the nearest", async () => {
    await expect(readTrace(traceFile([good]), { format: "moncake" })).rejects.toThrow(
      'did you mean "mooncake"?',
    );
  });

  it("is refused when it is not in the format named", async () => {
    await expect(readTrace(traceFile([good]), { format: "pdbench" })).rejects.toThrow(
      /:1: field "arrival_s": got nothing/,
    );
    await expect(readTrace(traceFile([good]), { format: "azure" })).rejects.toThrow(
      /:1: got JSON, expected a header with TIMESTAMP/,
    );
  });

  it("can be read without its bad lines, which are counted", async () => {
    const trace = await readTrace(traceFile(["nonsense", good, "{", { ...good, output_length: -1 }, good]), {
      format: "mooncake",
      skipBadLines: true,
    });
    expect(trace.count).toBe(2);
    expect(trace.notes).toEqual(["3 bad lines were skipped, the first is line 1."]);
    const csv = await readTrace(traceFile([azure, "x,1,2", "2023-11-16 18:15:46,40,3"]), {
      skipBadLines: true,
    });
    expect(csv.notes).toEqual(["1 bad line was skipped, the first is line 2."]);
  });

  it("leaves no trace of a bad line in the block ids", async () => {
    const bad = { ...good, hash_ids: [50, 51], output_length: "x" };
    const trace = await readTrace(traceFile([good, bad, MOONCAKE[1]!]), { skipBadLines: true });
    expect(trace.distinctBlocks).toBe(3);
  });
});

function sharedFolder(): string {
  return new URL(".", import.meta.url).pathname;
}

describeWithSharedData(
  "readTrace on real traces",
  ["traces/mooncake-conversation.jsonl", "traces/azure-2023-conv.csv", "vllm-runs"],
  () => {
    it("reads the Mooncake conversation trace", async () => {
      const trace = await readTrace(sharedData("traces/mooncake-conversation.jsonl"));
      expect(trace.count).toBe(12_031);
      expect(trace.distinctBlocks).toBe(182_790);
      expect(trace.tickMs).toBe(3000);
      expect(trace.arrivalMs.at(-1)).toBe(3_536_999);
    });

    it("reads the Azure conversation trace with its fractions of a second", async () => {
      const trace = await readTrace(sharedData("traces/azure-2023-conv.csv"));
      expect(trace.count).toBe(19_366);
      expect(trace.tickMs).toBe(0);
      expect(trace.arrivalMs[1]).toBeCloseTo(4314.579, 6);
    });

    it("reads LLMServingSim's ShareGPT workload with its tokens", async () => {
      const trace = await readTrace(sharedData("vllm-runs/workload-sharegpt-llama-3.1-8b-300.jsonl"));
      expect(trace.count).toBe(300);
      expect(trace.hasBlocks).toBe(true);
    });
  },
);

import { describe, expect, it } from "vitest";
import { readGrid } from "../../src/calibrate/read-grid.js";
import { InputError } from "../../src/errors.js";
import { folderWith } from "./files.js";

const HEADER = "hardware,model,tp,prefill_chunk,kv_prefill,n_decode,kv_decode,step_ms";
const ROWS = [
  "# a comment",
  HEADER,
  "RTX4090,meta-llama/Llama-3.1-8B,tp1,0,0,8,512,17.9",
  "RTX4090,meta-llama/Llama-3.1-8B,2,256,1024,0,0,25.5",
  "H100,meta-llama/Llama-3.1-8B,1,256,0,8,512,9.5",
];

function grid(rows: readonly string[]): string {
  return `${folderWith({ "grid.csv": `${rows.join("\n")}\n` })}/grid.csv`;
}

const CARD = { hardware: "rtx4090", model: "Llama-3.1-8B", tp: 1 };

describe("readGrid", () => {
  it("reads the steps of one card, model and degree, however they are spelled", () => {
    expect(readGrid(grid(ROWS), CARD)).toEqual([
      { chunks: 0, chunkTokens: 0, cachedTokens: 0, decodes: 8, contextTokens: 512, ms: 17.9 },
    ]);
    expect(readGrid(grid(ROWS), { ...CARD, tp: 2 })).toEqual([
      { chunks: 1, chunkTokens: 256, cachedTokens: 1024, decodes: 0, contextTokens: 0, ms: 25.5 },
    ]);
  });

  it.each([
    [
      "an unknown card",
      ROWS,
      { ...CARD, hardware: "RTX4091" },
      /no rows with hardware "RTX4091", did you mean "RTX4090"/,
    ],
    [
      "an unknown model",
      ROWS,
      { ...CARD, model: "Qwen3-32B" },
      /no rows with model "Qwen3-32B" \(it has meta-llama/,
    ],
    ["an unknown degree", ROWS, { ...CARD, tp: 8 }, /no rows with tp "8"/],
    [
      "a missing column",
      ROWS.map((row) => row.replace(",step_ms", "")),
      CARD,
      /grid\.csv:1: column step_ms is missing/,
    ],
    [
      "no number",
      [...ROWS.slice(0, 2), "RTX4090,Llama-3.1-8B,1,0,0,8,512,fast"],
      CARD,
      /grid\.csv:3: step_ms: got "fast"/,
    ],
    [
      "a negative number",
      [...ROWS.slice(0, 2), "RTX4090,Llama-3.1-8B,1,-1,0,8,512,2"],
      CARD,
      /:3: prefill_chunk: got "-1"/,
    ],
    ["no rows", [HEADER], CARD, /no rows, expected the columns/],
  ])("says what is wrong with %s", (_, rows, selection, message) => {
    const read = (): unknown => readGrid(grid(rows), selection);
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });

  it("names a file that cannot be read", () => {
    expect(() => readGrid("nowhere.csv", CARD)).toThrow(/^nowhere\.csv: cannot be read/);
  });
});

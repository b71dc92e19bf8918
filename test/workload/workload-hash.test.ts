import { describe, expect, it } from "vitest";
import { generateWorkload } from "../../src/workload/generate-workload.js";
import { readTrace } from "../../src/workload/read-trace.js";
import { toShared } from "../../src/workload/shared-columns.js";
import { workloadHash } from "../../src/workload/workload-hash.js";
import { traceFile } from "./trace-file.js";

const LINES = [
  { timestamp: 0, input_length: 1000, output_length: 5, hash_ids: [7, 9] },
  { timestamp: 40, input_length: 1500, output_length: 6, hash_ids: [7, 9, 11] },
];

describe("workloadHash", () => {
  it("is that of the content, whatever the file, its packing and the memory it lies in", async () => {
    const trace = await readTrace(traceFile(LINES));
    expect(workloadHash(trace)).toMatch(/^[0-9a-f]{64}$/);
    expect(workloadHash(await readTrace(traceFile(LINES, { gzip: true })))).toBe(workloadHash(trace));
    expect(workloadHash(toShared(trace))).toBe(workloadHash(trace));
  });

  it.each([
    ["a time", { timestamp: 41 }],
    ["a length", { input_length: 1501 }],
    ["a block", { hash_ids: [7, 8, 11] }],
  ])("changes with %s", async (_name, change) => {
    const changed = traceFile([LINES[0]!, { ...LINES[1]!, ...change }]);
    expect(workloadHash(await readTrace(changed))).not.toBe(workloadHash(await readTrace(traceFile(LINES))));
  });

  it("changes with the seed of a generator", () => {
    const hash = (seed: number): string =>
      workloadHash(generateWorkload("best_of_n", {}, { requests: 50, seed }));
    expect(hash(1)).toBe(hash(1));
    expect(hash(1)).not.toBe(hash(2));
  });
});

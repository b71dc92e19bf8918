import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { generateWorkload } from "../../src/workload/generate-workload.js";
import { GENERATORS } from "../../src/workload/generators/generators.js";
import type { RawTrace } from "../../src/workload/raw-trace.js";
import { readTrace } from "../../src/workload/read-trace.js";
import { workloadHash } from "../../src/workload/workload-hash.js";
import { writeTrace } from "../../src/workload/write-trace.js";
import { freshPath, traceFile } from "./trace-file.js";

async function throughFile(trace: RawTrace, name = "trace.jsonl"): Promise<RawTrace> {
  const path = freshPath(name);
  await writeTrace(trace, path);
  return readTrace(path);
}

/** What a file keeps only to the nanosecond. */
const TIMES = { arrivalMs: null, thinkMs: null };

describe("writeTrace", () => {
  it.each(GENERATORS.map(({ name }) => name))(
    "loses nothing of %s traffic but the last nanosecond",
    async (kind) => {
      const trace = generateWorkload(kind, {}, { requests: 300, seed: 11 });
      const read = await throughFile(trace);
      expect({ ...read, ...TIMES, source: "" }).toEqual({
        ...trace,
        ...TIMES,
        source: "",
        coversOutput: trace.hasBlocks,
      });
      for (let row = 0; row < trace.count; row++) {
        expect(Math.abs(read.arrivalMs[row]! - trace.arrivalMs[row]!)).toBeLessThan(1e-5);
        if (Number.isNaN(trace.thinkMs[row])) expect(read.thinkMs[row]).toBeNaN();
        else expect(Math.abs(read.thinkMs[row]! - trace.thinkMs[row]!)).toBeLessThan(1e-5);
      }
    },
  );

  it("is exact for what it has written before, packed or not", async () => {
    const once = await throughFile(generateWorkload("mixed", {}, { requests: 200, seed: 1 }));
    expect(workloadHash(await throughFile(once, "again.jsonl"))).toBe(workloadHash(once));
    expect(workloadHash(await throughFile(once, "again.jsonl.gz"))).toBe(workloadHash(once));
  });

  it("keeps priority, patience, sessions and ticks", async () => {
    const lines = [
      { arrival_s: 0, input_tokens: 9, output_tokens: 1, session: "x", priority: -2, arrival_tick_s: 3 },
      { arrival_s: 3, input_tokens: 9, output_tokens: 1, session: "x", cancel_after_s: 1.5, think_s: 0 },
    ];
    const trace = await throughFile(await readTrace(traceFile(lines)));
    expect([...trace.priority]).toEqual([-2, 0]);
    expect([...trace.cancelAfterMs]).toEqual([NaN, 1500]);
    expect([...trace.session]).toEqual([0, 0]);
    expect([...trace.thinkMs]).toEqual([NaN, 0]);
    expect(trace.tickMs).toBe(3000);
  });

  it("writes the documented fields", async () => {
    const line = { timestamp: 500, input_length: 600, output_length: 7, hash_ids: [44, 45] };
    const path = freshPath("fields.jsonl.gz");
    await writeTrace(await readTrace(traceFile([line])), path);
    expect(gunzipSync(readFileSync(path)).toString()).toBe(
      '{"arrival_s":0,"input_tokens":600,"output_tokens":7,"block_ids":[0,1],"block_tokens":512}\n',
    );
  });

  it("leaves nothing behind when it cannot write", async () => {
    const trace = generateWorkload("lengths", {}, { requests: 3 });
    const nowhere = freshPath("no-such-folder/trace.jsonl");
    await expect(writeTrace(trace, nowhere)).rejects.toThrow(
      `${nowhere}: cannot be written (its folder does not exist)`,
    );
    // A file cannot take the name of a folder: the rename fails after the content was written.
    const folder = freshPath("folder");
    mkdirSync(join(folder, "taken"), { recursive: true });
    await expect(writeTrace(trace, join(folder, "taken"))).rejects.toMatchObject({ name: "InputError" });
    expect(readdirSync(folder)).toEqual(["taken"]);
  });
});

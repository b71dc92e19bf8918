import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const folder = mkdtempSync(join(tmpdir(), "pdbench-trace-"));

let files = 0;

/** Writes a trace into a temporary folder and returns its path. Objects become one JSON line each. */
export function traceFile(lines: readonly (string | object)[], { gzip = false, end = "\n" } = {}): string {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)) + end).join("");
  const path = join(folder, `trace-${files++}${gzip ? ".gz" : ""}`);
  writeFileSync(path, gzip ? gzipSync(text) : text);
  return path;
}

/** A path in the temporary folder that does not exist yet. */
export function freshPath(name: string): string {
  return join(folder, `${files++}-${name}`);
}

/** The ids of row `row` of a trace. */
export function idsOf(
  trace: {
    readonly blocks: { readonly runId: Int32Array; readonly runCount: Int32Array };
    readonly runOffset: Float64Array;
  },
  row: number,
): number[] {
  const ids: number[] = [];
  for (let run = trace.runOffset[row]!; run < trace.runOffset[row + 1]!; run++) {
    for (let i = 0; i < trace.blocks.runCount[run]!; i++) ids.push(trace.blocks.runId[run]! + i);
  }
  return ids;
}

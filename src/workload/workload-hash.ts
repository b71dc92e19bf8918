import { createHash } from "node:crypto";
import type { RawTrace } from "./raw-trace.js";

/**
 * SHA-256 over what a trace says: every column, in hex. The same trace has the same hash whatever its file is
 * called and however it is written or packed; times, lengths, blocks and sessions that differ change it.
 */
export function workloadHash(trace: RawTrace): string {
  const hash = createHash("sha256");
  const settings = [trace.count, trace.tickMs, trace.blocks.blockTokens, trace.coversOutput];
  hash.update(`pdbench-workload 1 ${settings.join(" ")}\n`);
  const columns = [
    trace.arrivalMs,
    trace.inputTokens,
    trace.outputTokens,
    trace.runOffset,
    trace.blocks.runId,
    trace.blocks.runCount,
    trace.session,
    trace.priority,
    trace.cancelAfterMs,
    trace.thinkMs,
  ];
  for (const column of columns)
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  return hash.digest("hex");
}

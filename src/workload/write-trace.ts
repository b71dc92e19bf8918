import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { InputError } from "../errors.js";
import { expandSpan, spanLength } from "../values/block-span.js";
import type { RawTrace } from "./raw-trace.js";

const BATCH_CHARACTERS = 256 * 1024;

/**
 * Writes a trace in the pdbench format, packed where the name ends in `.gz`. The file appears whole or not at
 * all: it is written beside its name and renamed.
 *
 * @throws InputError when the file cannot be written.
 */
export async function writeTrace(trace: RawTrace, path: string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    const file = createWriteStream(partial);
    if (path.endsWith(".gz")) await pipeline(batches(trace), createGzip(), file);
    else await pipeline(batches(trace), file);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const reason = code === "ENOENT" ? "its folder does not exist" : message;
    throw new InputError(`${path}: cannot be written (${reason})`);
  }
}

function* batches(trace: RawTrace): Generator<string> {
  let batch = "";
  for (let row = 0; row < trace.count; row++) {
    batch += `${JSON.stringify(recordOf(trace, row))}\n`;
    if (batch.length < BATCH_CHARACTERS) continue;
    yield batch;
    batch = "";
  }
  yield batch;
}

/** One line; what a request does not have is left out. */
function recordOf(trace: RawTrace, row: number): Record<string, unknown> {
  const ids = blockIds(trace, row);
  const session = trace.session[row]!;
  const priority = trace.priority[row]!;
  const cancelAfterMs = trace.cancelAfterMs[row]!;
  const thinkMs = trace.thinkMs[row]!;
  return {
    arrival_s: seconds(trace.arrivalMs[row]!),
    input_tokens: trace.inputTokens[row]!,
    output_tokens: trace.outputTokens[row]!,
    ...(ids.length > 0 && { block_ids: ids, block_tokens: trace.blocks.blockTokens }),
    ...(session >= 0 && { session: `s${session}` }),
    ...(priority !== 0 && { priority }),
    ...(!Number.isNaN(cancelAfterMs) && { cancel_after_s: seconds(cancelAfterMs) }),
    ...(!Number.isNaN(thinkMs) && { think_s: seconds(thinkMs) }),
    ...(trace.tickMs > 0 && { arrival_tick_s: seconds(trace.tickMs) }),
  };
}

function blockIds(trace: RawTrace, row: number): readonly number[] {
  const span = { table: trace.blocks, start: trace.runOffset[row]!, end: trace.runOffset[row + 1]! };
  const ids = new Int32Array(spanLength(span));
  expandSpan(span, ids, ids.length);
  return Array.from(ids);
}

/** Seconds to the nanosecond, which is what the reader keeps. */
function seconds(ms: number): number {
  return Number((ms / 1000).toFixed(9));
}

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { InputError } from "../../errors.js";
import type { MeasuredRun } from "../measured-run.js";
import { readRunSettings } from "../run-settings.js";

const seconds = z.array(z.number());

/** The fields of `vllm bench serve --save-result --save-detailed` that are needed; times in seconds. */
const benchSchema = z.object({
  input_lens: z.array(z.int().nonnegative()),
  output_lens: z.array(z.int().nonnegative()),
  ttfts: seconds,
  itls: z.array(seconds),
  start_times: seconds.optional(),
  errors: z.array(z.string()).optional(),
});

/**
 * A run measured at the client by vLLM's own load generator. Failed requests (an error, or no output) are left
 * out. Releases before 0.11 do not save `start_times`: arrivals are then unknown, NaN.
 * @throws InputError naming the file, the field and what was expected.
 */
export function readVllmBench(file: string): MeasuredRun {
  const bench = parse(file);
  const { input_lens, output_lens, ttfts, itls, start_times, errors } = bench;
  for (const [name, column] of Object.entries({ output_lens, ttfts, itls, start_times, errors })) {
    if (column !== undefined && column.length !== input_lens.length) {
      throw new InputError(
        `${file}: ${name}: got ${column.length} values, expected ${input_lens.length} as in input_lens`,
      );
    }
  }
  const rows = input_lens
    .map((_, i) => i)
    .filter((i) => (errors?.[i] ?? "") === "" && output_lens[i]! > 0 && ttfts[i]! > 0)
    .sort((a, b) => (start_times === undefined ? a - b : start_times[a]! - start_times[b]!));
  if (rows.length === 0) throw new InputError(`${file}: no completed requests, expected at least one`);
  const startS = start_times?.[rows[0]!] ?? NaN;
  const column = (of: (i: number) => number): Float64Array => Float64Array.from(rows, of);
  const decodeMs = (i: number): number => itls[i]!.reduce((sum, gap) => sum + gap, 0) * 1e3;
  const arrivalMs = column((i) => ((start_times?.[i] ?? NaN) - startS) * 1e3);
  const ttftMs = column((i) => ttfts[i]! * 1e3);
  const e2eMs = column((i) => ttfts[i]! * 1e3 + decodeMs(i));
  const unknown = new Float64Array(rows.length).fill(NaN);
  return {
    path: file,
    startsAt: "client",
    requests: {
      count: rows.length,
      inputTokens: Int32Array.from(rows, (i) => input_lens[i]!),
      outputTokens: Int32Array.from(rows, (i) => output_lens[i]!),
      arrivalMs,
      queuedMs: unknown,
      scheduledMs: unknown,
      firstTokenMs: arrivalMs.map((ms, row) => ms + ttftMs[row]!),
      lastTokenMs: arrivalMs.map((ms, row) => ms + e2eMs[row]!),
      ttftMs,
      tpotMs: column((i) => (output_lens[i]! < 2 ? NaN : decodeMs(i) / (output_lens[i]! - 1))),
      e2eMs,
    },
    timeline: [],
    settings: readRunSettings(join(dirname(file), "meta.json")),
  };
}

function parse(file: string): z.infer<typeof benchSchema> {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new InputError(`${file}: not JSON, expected the result of vllm bench serve --save-detailed`);
  }
  const parsed = benchSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new InputError(
    `${file}: ${issue.path.join(".") || "content"}: ${issue.message} (is it from vllm bench serve --save-detailed?)`,
  );
}

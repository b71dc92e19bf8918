import { z } from "zod";
import { InputError } from "../src/errors.js";
import { didYouMean } from "../src/values/nearest-name.js";

/**
 * What can be changed while an engine runs, with `POST /admin/config`, and be set at the start with
 * `--config FILE` or the `mock_engines` block of a scenario. Times are ms of the engine's own (virtual) time.
 */

const share = (what: string): z.ZodDefault<z.ZodNumber> =>
  z
    .number("a number from 0 to 1")
    .min(0, "a number from 0 to 1")
    .max(1, "a number from 0 to 1")
    .default(0)
    .describe(what);
const ms = (fallback: number, what: string): z.ZodDefault<z.ZodNumber> =>
  z.number("a number, 0 or more").min(0, "a number, 0 or more").default(fallback).describe(what);
const count = (fallback: number, least: number, what: string): z.ZodDefault<z.ZodInt> => {
  const expected = `a whole number of at least ${least}`;
  return z.int(expected).min(least, expected).default(fallback).describe(what);
};

const knobsSchema = z.strictObject({
  error_rate: share("Share of generation requests answered with `error_status`."),
  error_status: z
    .int("an HTTP status from 400 to 599")
    .min(400, "an HTTP status from 400 to 599")
    .max(599, "an HTTP status from 400 to 599")
    .default(500)
    .describe("Status of injected errors."),
  hang_rate: share("Share of generation requests that never get an answer."),
  reset_rate: share("Share whose connection is reset before the first byte."),
  midstream_reset_rate: share("Share whose connection is reset after `midstream_reset_tokens` tokens."),
  midstream_reset_tokens: count(3, 1, "Tokens sent before a reset in mid-stream."),
  delay_ms: ms(0, "Added to every generation request before the engine sees it."),
  startup_ms: ms(0, "From the start (or restart) of the engine until it answers anything but 503."),
  kv_failure_rate: share("Share of KV reads that fail on the wire."),
  kv_load_failure_policy: z
    .enum(["recompute", "fail"], 'one of "recompute", "fail"')
    .default("fail")
    .describe("vLLM's setting of that name: what a decode engine does when it cannot load KV."),
  kv_lease_ms: z
    .number("a number, 0 or more")
    .min(0, "a number, 0 or more")
    .nullable()
    .default(null)
    .describe("How long a prefill engine holds blocks that nobody reads; null = as the vLLM release does."),
  default_output_tokens: count(
    128,
    1,
    "Output of requests that state no max_tokens, unless they ignore EOS.",
  ),
  metrics_dialect: z
    .enum(["v0", "v1", "both"], 'one of "v0", "v1", "both"')
    .default("both")
    .describe("Generation of metric names: v0 has vllm:gpu_cache_usage_perc, v1 vllm:kv_cache_usage_perc."),
});

export type Knobs = Readonly<z.output<typeof knobsSchema>>;

const NAMES = Object.keys(knobsSchema.shape);

export const DEFAULT_KNOBS: Knobs = knobsSchema.parse({});

/**
 * `current` with the given knobs changed.
 *
 * @param source what the knobs were read from, for messages
 * @throws InputError naming the knob, its value and what was expected; nothing is changed then
 */
export function changeKnobs(current: Knobs, changes: unknown, source: string): Knobs {
  if (typeof changes !== "object" || changes === null || Array.isArray(changes)) {
    throw new InputError(`${source}: expected an object of knobs, e.g. {"error_rate": 0.05}`);
  }
  const result = knobsSchema.safeParse({ ...current, ...changes });
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const name = issue.keys[0]!;
    throw new InputError(
      `${source}: ${name}: no such knob${didYouMean(name, NAMES) || `, there are ${NAMES.join(", ")}`}`,
    );
  }
  const name = String(issue.path[0]);
  const value = JSON.stringify((changes as Record<string, unknown>)[name]);
  throw new InputError(`${source}: ${name}: ${value}: expected ${issue.message}`);
}

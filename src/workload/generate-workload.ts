import { InputError } from "../errors.js";
import { randomStream } from "../values/random.js";
import { GeneratedTrace } from "./generators/generated-trace.js";
import type { RequestSource } from "./generators/generator.js";
import { generator } from "./generators/generators.js";
import { checkParameters, number, type ParameterSpec, type ParameterValue } from "./generators/parameters.js";
import type { RawTrace } from "./raw-trace.js";

/** Parameters of every generator. */
export const COMMON_PARAMETERS: readonly ParameterSpec[] = [
  {
    name: "rate",
    ...number(5, { min: 1e-6, max: 1e6, unit: "requests/s" }, "Mean rate of requests (Poisson)."),
  },
];

/** Enough for a first look; `requests` states how many there are. */
export const DEFAULT_REQUESTS = 1000;

export interface GenerateOptions {
  readonly requests?: number;
  readonly seed?: number;
}

/**
 * The values of a generator's parameters, defaults filled in.
 *
 * @throws InputError for an unknown generator or parameter, or a value out of range.
 */
export function checkGenerator(
  kind: string,
  given: Readonly<Record<string, unknown>>,
): Record<string, ParameterValue> {
  const parameters = [...COMMON_PARAMETERS, ...generator(kind).parameters];
  return checkParameters(Object.fromEntries(parameters.map((spec) => [spec.name, spec])), given, "generate");
}

/**
 * Synthetic requests: the same for the same generator, parameters, number and seed. Content comes in blocks of
 * 16 tokens, prompt and output; times are exact.
 *
 * @throws InputError for an unknown generator or parameter, or a value out of range.
 */
export function generateWorkload(
  kind: string,
  given: Readonly<Record<string, unknown>>,
  { requests = DEFAULT_REQUESTS, seed = 1 }: GenerateOptions = {},
): RawTrace {
  if (!(Number.isSafeInteger(requests) && requests >= 1)) {
    throw new InputError(`requests: got ${requests}, expected a whole number of at least 1`);
  }
  const source = openGenerator(kind, given, seed);
  const trace = new GeneratedTrace(requests);
  while (!trace.isFull) source.emit(trace);
  return trace.take(`${kind} (generated, seed ${seed})`);
}

/**
 * A generator at its beginning; `generateWorkload` is what comes out of it.
 *
 * @throws InputError for an unknown generator or parameter, or a value out of range.
 */
export function openGenerator(
  kind: string,
  given: Readonly<Record<string, unknown>>,
  seed: number,
): RequestSource {
  const values = checkGenerator(kind, given);
  return generator(kind).open(values, {
    ratePerS: values["rate"] as number,
    random: (purpose) => randomStream(seed, `generate.${kind}.${purpose}`),
  });
}

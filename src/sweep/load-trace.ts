import { InputError } from "../errors.js";
import type { Scenario } from "../scenario/schema.js";
import { generateWorkload } from "../workload/generate-workload.js";
import type { RawTrace } from "../workload/raw-trace.js";
import { readTrace } from "../workload/read-trace.js";

/**
 * The requests of a scenario, before it is settled when they are sent: its trace, or what its generator makes
 * under its seed.
 *
 * @param shared put the columns into shared memory, for worker threads
 * @throws InputError where the scenario has neither, or the trace cannot be read
 */
export async function loadTrace({ workload, seed }: Scenario, shared = false): Promise<RawTrace> {
  const { trace, format, skip_bad_lines: skipBadLines, generate, requests } = workload;
  if (trace !== null) return readTrace(trace, { format, skipBadLines, shared });
  if (generate === null) throw noWorkload();
  const { kind, ...parameters } = generate;
  return generateWorkload(kind, parameters, requests === null ? { seed } : { seed, requests });
}

/** Equal for scenarios whose `loadTrace` gives the same. */
export function traceKey({ workload, seed }: Scenario): string {
  const { trace, format, skip_bad_lines, generate, requests } = workload;
  if (trace !== null) return JSON.stringify({ trace, format, skip_bad_lines });
  return JSON.stringify({ generate, requests, seed });
}

export function noWorkload(): InputError {
  return new InputError(
    "there is no workload: give --trace FILE, or `workload: { trace: FILE }` or `workload: { generate: ... }` " +
      "in the scenario",
  );
}

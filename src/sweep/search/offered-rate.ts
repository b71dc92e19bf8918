import type { Scenario } from "../../scenario/schema.js";
import type { RawTrace } from "../../workload/raw-trace.js";
import { traceName } from "../fingerprint.js";
import { loadTrace } from "../load-trace.js";
import type { LoadKnob } from "./load-search.js";

/**
 * Requests per second that a scenario sends on average at a value of its load knob; null for a single request.
 * Times of the trace count, so where later turns wait for earlier ones the real rate is lower.
 */
export async function offeredRate(
  scenario: Scenario,
  knob: LoadKnob,
  value: number,
  traces: ReadonlyMap<string, RawTrace>,
): Promise<number | null> {
  if (knob === "rate") return value;
  const trace = traces.get(traceName(scenario) ?? "") ?? (await loadTrace(scenario));
  const count = Math.min(trace.count, scenario.workload.requests ?? Infinity);
  const spanS = trace.arrivalMs[count - 1]! / 1000 / value;
  return spanS > 0 ? (count - 1) / spanS : null;
}

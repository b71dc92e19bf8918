import type { ArrivalOptions } from "../workload/arrivals.js";
import type { Scenario } from "./schema.js";

/** When the requests of a scenario are sent, in the words of `buildWorkload`. */
export function arrivalOptions(workload: Scenario["workload"]): ArrivalOptions {
  const { requests, rate, arrival, cv, speedup, jitter, concurrency, sessions, think_ms } = workload;
  return { requests, rate, arrival, cv, speedup, jitter, concurrency, sessions, thinkMs: think_ms };
}

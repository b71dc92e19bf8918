import type { RunResult } from "../../measure/records.js";
import type { Leg, LegDecision } from "../../routing/types.js";
import type { SimulationSetup } from "../../simulator/setup.js";
import { simulate } from "../../simulator/simulator.js";

/** One choice of a worker in a run, and what its request got. */
export interface DecidedLeg {
  readonly row: number;
  readonly leg: Leg;
  /** Index over all workers of the fleet, prefill workers first. */
  readonly worker: number;
  /** Of the request's other leg; null = it has none. */
  readonly otherWorker: number | null;
  readonly policy: string;
  readonly branch: string;
  readonly outcome: Outcome;
}

/** What a client got of a request, ms from sending it. */
export interface Outcome {
  readonly ttftMs: number;
  readonly e2eMs: number;
}

/** Every choice of a worker in a run of `setup`, of requests that completed, in order of the workload. */
export function decidedLegs(setup: SimulationSetup): DecidedLeg[] {
  const chosen: Record<Leg, Map<number, LegDecision>> = { prefill: new Map(), decode: new Map() };
  const { records } = simulate(setup, {
    onDecision: ({ requestId, prefill, decode }) => {
      if (prefill !== null) chosen.prefill.set(requestId, prefill);
      if (decode !== null) chosen.decode.set(requestId, decode);
    },
    onLateDecode: (requestId, decision) => chosen.decode.set(requestId, decision),
  });
  const legs: DecidedLeg[] = [];
  for (let row = 0; row < records.count; row++) {
    const outcome = outcomeOf(records, row);
    if (outcome === null) continue;
    for (const leg of ["prefill", "decode"] as const) {
      const decision = chosen[leg].get(row);
      if (decision === undefined) continue;
      const { worker, policy, branch } = decision;
      const other = chosen[leg === "prefill" ? "decode" : "prefill"].get(row);
      legs.push({ row, leg, worker, otherWorker: other?.worker ?? null, policy, branch, outcome });
    }
  }
  return legs;
}

/** Null for a request that did not complete. */
export function outcomeOf(records: RunResult["records"], row: number): Outcome | null {
  const sentMs = records.sentMs[row]!;
  const ttftMs = records.firstTokenMs[row]! - sentMs;
  const e2eMs = records.lastTokenMs[row]! - sentMs;
  return records.status[row] === 0 && !Number.isNaN(e2eMs) ? { ttftMs, e2eMs } : null;
}

import type { RequestRecords } from "../../measure/records.js";
import type { SimulationSetup } from "../../simulator/setup.js";
import { simulate } from "../../simulator/simulator.js";
import { outcomeOf, type DecidedLeg, type Outcome } from "./decided-legs.js";

/** What a decision gave, beside the best that any worker of its leg would have given. */
export interface DecisionRegret {
  readonly decided: DecidedLeg;
  readonly best: {
    readonly ttft: { readonly worker: number; readonly ms: number };
    readonly e2e: { readonly worker: number; readonly ms: number };
  };
}

/**
 * Counterfactual regret of one decision: the run is simulated again with this one request sent to each other
 * worker of the leg, its other leg to where it went. Policies are asked all the same, so everything before is as it
 * was, and what comes later may react, as it would have. Exact, because runs are deterministic.
 *
 * @param alternatives workers to try instead; one that was no candidate then (another group) is passed over
 * @param onRun called after each simulation
 */
export function regretOf(
  setup: SimulationSetup,
  decided: DecidedLeg,
  alternatives: readonly number[],
  onRun: () => void = () => undefined,
): DecisionRegret {
  let ttft = { worker: decided.worker, ms: decided.outcome.ttftMs };
  let e2e = { worker: decided.worker, ms: decided.outcome.e2eMs };
  for (const worker of alternatives) {
    const outcome = outcomeOn(setup, decided, worker);
    onRun();
    if (outcome === null) continue;
    if (outcome.ttftMs < ttft.ms) ttft = { worker, ms: outcome.ttftMs };
    if (outcome.e2eMs < e2e.ms) e2e = { worker, ms: outcome.e2eMs };
  }
  return { decided, best: { ttft, e2e } };
}

/** What the request gets when its leg goes to `worker`; null when it does not go there, or does not complete. */
export function outcomeOn(setup: SimulationSetup, decided: DecidedLeg, worker: number): Outcome | null {
  const { row, leg, otherWorker } = decided;
  const other = leg === "prefill" ? "decode" : "prefill";
  const pinned = { [leg]: worker, ...(otherWorker !== null && { [other]: otherWorker }) };
  const column = leg === "prefill" ? "prefillWorker" : "decodeWorker";
  try {
    simulate(setup, {
      pins: new Map([[row, pinned]]),
      onRequestEnd: (ended, records) => {
        if (ended === row) throw new RequestEnded(records);
      },
    });
  } catch (error) {
    if (!(error instanceof RequestEnded)) throw error;
    return error.records[column][row] === worker ? outcomeOf(error.records, row) : null;
  }
  return null;
}

/** Nothing that happens after the request's end can change what it got. */
class RequestEnded extends Error {
  readonly records: RequestRecords;

  constructor(records: RequestRecords) {
    super("the request has ended");
    this.name = "RequestEnded";
    this.records = records;
  }
}

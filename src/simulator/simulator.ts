import { GapRunsBuilder } from "../measure/gap-runs-builder.js";
import type { RequestRecords, RunResult, RunTotals } from "../measure/records.js";
import type { SimulationHooks } from "./hooks.js";
import { kvEventFeed, type KvEventFeed } from "./kv-event-feed.js";
import { WholeRequests } from "./requests.js";
import type { FleetSetup, SimulationSetup } from "./setup.js";
import { Simulation } from "./simulation.js";
import type { StreamedRequests } from "./streamed-requests.js";

/** As many as most traces need. */
const GAP_RUNS_PER_REQUEST = 8;

/**
 * Runs a workload through the routing core and modelled engines in virtual time.
 *
 * @returns what was measured; the same for the same set-up, on any machine.
 */
export function simulate(setup: SimulationSetup, hooks: SimulationHooks = {}): RunResult {
  const { workload } = setup;
  const gaps = new GapRunsBuilder(GAP_RUNS_PER_REQUEST * (workload.count + 1));
  const kvEvents = (nowMs: () => number): KvEventFeed | null => kvEventFeed(setup, nowMs);
  const simulation = new Simulation(setup, new WholeRequests(workload), hooks, {
    gaps,
    kvEvents,
    retired: null,
  });
  const totals = simulation.run();
  return { records: simulation.records, gaps: gaps.build(), ...totals };
}

/** Where a run hands over what it measured and does not keep. */
export interface StreamSink {
  /**
   * Gets the request at `place` of the records when nothing more happens to it; requests come in order of rows.
   *
   * @param branches as `RunTotals.branches`, so far.
   */
  retire(records: RequestRecords, place: number, branches: readonly string[]): void;
  /** As `GapRunsBuilder.add`. */
  addGaps(firstMs: number, deltaMs: number, steps: number, weight: number): void;
}

/**
 * `simulate` for requests that are made on the way: what it measures of a request goes to the sink, and memory grows
 * with the requests at work alone.
 */
export function simulateStream(
  setup: FleetSetup,
  requests: StreamedRequests,
  sink: StreamSink,
  hooks: Pick<SimulationHooks, "onProgress"> = {},
): RunTotals {
  const gaps = { add: sink.addGaps.bind(sink) };
  const retired = (records: RequestRecords, place: number): void => {
    sink.retire(records, place, simulation.branchNames);
    requests.release();
  };
  const simulation = new Simulation(setup, requests, hooks, { gaps, kvEvents: () => null, retired });
  return simulation.run();
}

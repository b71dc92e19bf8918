import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { replayEventLog } from "../../src/proxy/event-log-replay.js";
import { compareRuns } from "../../src/replay/compare-runs.js";
import { simulate } from "../../src/simulator/simulator.js";
import type { Case } from "./cases.js";
import type { LiveComparison, RunSettings } from "./live-run.js";
import { replayInLockstep } from "./lockstep.js";
import { preparedCase, summaryOf } from "./prepared-case.js";
import { seenRequests } from "./seen-requests.js";

/** Runs a case live with clocks that stand still while anything is on a wire, and compares it with the simulation. */
export async function runInLockstep(theCase: Case, settings: RunSettings): Promise<LiveComparison> {
  const { trace, requests, folder } = settings;
  const { scenario, setup } = await preparedCase(theCase, trace, requests);
  const simulation = simulate(setup);
  await mkdir(folder, { recursive: true });
  const eventLog = join(folder, `events-${theCase.name}-lockstep.jsonl`);
  const { run, fleetPlaces } = await replayInLockstep(scenario, setup.workload, eventLog);
  const { decisions, divergences } = await replayEventLog(eventLog);
  await rm(eventLog);

  // Ports that the system picks are in no order; the fleet's own order is known here.
  const workers = fleetPlaces.map((_, place) => run.workers[fleetPlaces.indexOf(place)]!);
  const simulatedRequests = seenRequests(simulation, (worker) => worker);
  const liveRequests = seenRequests(run, (worker) => fleetPlaces[worker]!);
  const others = liveRequests.filter((request, row) => !isDeepStrictEqual(request, simulatedRequests[row]));
  return {
    title: "live, in lockstep",
    figures: compareRuns(summaryOf(scenario, simulation), summaryOf(scenario, { ...run, workers })),
    decisions,
    divergences: divergences.length,
    conditions: `${others.length} of ${requests} requests differ in a worker, a count of tokens or a nanosecond`,
  };
}

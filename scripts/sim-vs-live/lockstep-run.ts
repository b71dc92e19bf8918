import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { RunResult } from "../../src/measure/records.js";
import { summarize } from "../../src/measure/summarize.js";
import { replayEventLog } from "../../src/proxy/event-log-replay.js";
import { compareRuns } from "../../src/replay/compare-runs.js";
import { findScenario } from "../../src/scenario/load.js";
import { loadProfile } from "../../src/scenario/profiles.js";
import { resolveScenario } from "../../src/scenario/resolve.js";
import { arrivalOptions } from "../../src/scenario/workload-settings.js";
import { scenarioSetup } from "../../src/simulator/scenario-setup.js";
import { simulate } from "../../src/simulator/simulator.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { buildWorkload } from "../../src/workload/build-workload.js";
import { SCENARIO, type Case } from "./cases.js";
import type { LiveComparison, RunSettings } from "./live-run.js";
import { replayInLockstep } from "./lockstep.js";
import { seenRequests } from "./seen-requests.js";

/** Runs a case live with clocks that stand still while anything is on a wire, and compares it with the simulation. */
export async function runInLockstep(theCase: Case, settings: RunSettings): Promise<LiveComparison> {
  const { trace, requests, folder } = settings;
  const { workers, rate } = theCase;
  const changes = { prefill_workers: workers, decode_workers: workers, trace, requests, rate };
  const scenario = resolveScenario(
    findScenario(SCENARIO),
    Object.entries(changes).map(([setting, value]) => ({ setting, value, source: setting })),
  );
  const workload = buildWorkload(await loadTrace(scenario), arrivalOptions(scenario.workload), scenario.seed);
  const profiles = {
    prefill: loadProfile(scenario.fleet.prefill.profile),
    decode: loadProfile(scenario.fleet.decode.profile),
  };
  const simulation = simulate(scenarioSetup(scenario, profiles, workload));
  await mkdir(folder, { recursive: true });
  const eventLog = join(folder, `events-${theCase.name}-lockstep.jsonl`);
  const { run, fleetPlaces } = await replayInLockstep(scenario, workload, eventLog);
  const { decisions, divergences } = await replayEventLog(eventLog);
  await rm(eventLog);

  const summaryOf = (result: RunResult) =>
    summarize(result, { scenario: scenario.name, settings: {}, slo: scenario.slo });
  // Ports that the system picks are in no order; the fleet's own order is known here.
  const inFleetOrder = {
    ...run,
    workers: fleetPlaces.map((_, place) => run.workers[fleetPlaces.indexOf(place)]!),
  };
  const simulatedRequests = seenRequests(simulation, (worker) => worker);
  const liveRequests = seenRequests(run, (worker) => fleetPlaces[worker]!);
  const others = liveRequests.filter((request, row) => !isDeepStrictEqual(request, simulatedRequests[row]));
  return {
    title: "live, in lockstep",
    figures: compareRuns(summaryOf(simulation), summaryOf(inFleetOrder)),
    decisions,
    divergences: divergences.length,
    conditions: `${others.length} of ${requests} requests differ in a worker, a count of tokens or a nanosecond`,
  };
}

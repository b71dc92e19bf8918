import type { RunResult } from "../../src/measure/records.js";
import { summarize } from "../../src/measure/summarize.js";
import type { Summary } from "../../src/measure/summary.js";
import { findScenario } from "../../src/scenario/load.js";
import { loadProfile } from "../../src/scenario/profiles.js";
import { resolveScenario } from "../../src/scenario/resolve.js";
import type { Scenario } from "../../src/scenario/schema.js";
import { arrivalOptions } from "../../src/scenario/workload-settings.js";
import { scenarioSetup } from "../../src/simulator/scenario-setup.js";
import type { SimulationSetup } from "../../src/simulator/setup.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { buildWorkload } from "../../src/workload/build-workload.js";
import { SCENARIO, type Case } from "./cases.js";

/** A case ready to be simulated in this process. */
export interface PreparedCase {
  readonly scenario: Scenario;
  readonly setup: SimulationSetup;
}

export async function preparedCase(
  { workers, rate }: Case,
  trace: string,
  requests: number,
): Promise<PreparedCase> {
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
  return { scenario, setup: scenarioSetup(scenario, profiles, workload) };
}

export function summaryOf(scenario: Scenario, run: RunResult): Summary {
  return summarize(run, { scenario: scenario.name, settings: {}, slo: scenario.slo });
}

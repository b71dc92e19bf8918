import type { RunResult } from "../measure/records.js";
import { summarize } from "../measure/summarize.js";
import type { Provenance, Summary } from "../measure/summary.js";
import { loadProfile, type ProfileTexts } from "../scenario/profiles.js";
import type { Scenario } from "../scenario/schema.js";
import { settingsOf } from "../scenario/to-yaml.js";
import { arrivalOptions } from "../scenario/workload-settings.js";
import { scenarioSetup } from "../simulator/scenario-setup.js";
import type { SimulationHooks } from "../simulator/hooks.js";
import type { SimulationSetup } from "../simulator/setup.js";
import { simulate } from "../simulator/simulator.js";
import { buildWorkload } from "../workload/build-workload.js";
import type { RawTrace } from "../workload/raw-trace.js";
import type { Workload } from "../workload/workload.js";
import { checkCapacity } from "./check-capacity.js";

export interface RunOptions extends SimulationHooks {
  /** `plain` advances step by step: the oracle of `fast`. */
  readonly time?: "fast" | "plain";
  /** Sample the workers' state over time; default true. */
  readonly timeline?: boolean;
  /** Goes into the summary. */
  readonly provenance?: Provenance;
  /** Texts of profile files; others are read. */
  readonly profiles?: ProfileTexts;
  /** What `workloadOf` gives for the scenario and its trace, where it is known already. */
  readonly workload?: Workload;
}

/** What one run measured, and its summary. */
export interface ScenarioRun {
  readonly run: RunResult;
  readonly summary: Summary;
}

/**
 * Simulates one scenario under its seed.
 *
 * @param trace the scenario's requests (`loadTrace`)
 * @throws InputError where a request cannot be served by the fleet at all
 */
export function runScenario(scenario: Scenario, trace: RawTrace, options: RunOptions = {}): ScenarioRun {
  const setup = setupOf(scenario, trace, options);
  const startedMs = performance.now();
  const run = simulate(setup, options);
  const wallS = (performance.now() - startedMs) / 1000;
  const summary = summarize(run, {
    scenario: scenario.name,
    ...(options.provenance !== undefined && { provenance: options.provenance }),
    settings: settingsOf(scenario),
    slo: scenario.slo,
    hitRatesKnown: setup.workload.hasBlocks,
    wallS,
  });
  return { run, summary };
}

/**
 * What `simulate` takes for a scenario.
 *
 * @throws InputError where a request cannot be served by the fleet at all
 */
export function setupOf(scenario: Scenario, trace: RawTrace, options: RunOptions = {}): SimulationSetup {
  const workload = options.workload ?? workloadOf(scenario, trace);
  const profiles = {
    prefill: loadProfile(scenario.fleet.prefill.profile, options.profiles),
    decode: loadProfile(scenario.fleet.decode.profile, options.profiles),
  };
  const whole = scenarioSetup(scenario, profiles, workload, options.time);
  const setup = options.timeline === false ? { ...whole, timelineIntervalMs: Infinity } : whole;
  checkCapacity(setup);
  return setup;
}

/** The scenario's requests with the times at which they are sent. Nothing writes to it: equal runs can share it. */
export function workloadOf(scenario: Scenario, trace: RawTrace): Workload {
  return buildWorkload(trace, arrivalOptions(scenario.workload), scenario.seed);
}

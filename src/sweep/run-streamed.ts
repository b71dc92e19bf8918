import { InputError } from "../errors.js";
import { StreamedMeasures } from "../measure/streamed-measures.js";
import type { Summary } from "../measure/summary.js";
import { usesKvEvents } from "../routing/signals-used.js";
import { loadProfile } from "../scenario/profiles.js";
import type { Scenario } from "../scenario/schema.js";
import { settingsOf } from "../scenario/to-yaml.js";
import { arrivalOptions } from "../scenario/workload-settings.js";
import { fleetSetup } from "../simulator/scenario-setup.js";
import type { SimulationHooks } from "../simulator/hooks.js";
import { simulateStream } from "../simulator/simulator.js";
import { StreamedRequests } from "../simulator/streamed-requests.js";
import { checkArrivals } from "../workload/arrivals.js";
import { DEFAULT_REQUESTS, openGenerator } from "../workload/generate-workload.js";
import { capacityCheck } from "./check-capacity.js";

/**
 * `runScenario` in constant memory: requests are generated on the way, measured and forgotten.
 *
 * @returns the summary that `runScenario` gives, with percentiles from a sketch
 * @throws InputError for what needs all requests at once, and where a request cannot be served by the fleet at all
 */
export function runStreamed(
  scenario: Scenario,
  time: "fast" | "plain" = "fast",
  hooks: Pick<SimulationHooks, "onProgress"> = {},
): Summary {
  const { workload, seed } = scenario;
  const { sessions, speedup, requests } = checkArrivals(arrivalOptions(workload));
  const { kind, ...parameters } = generatorOf(scenario);
  const profiles = {
    prefill: loadProfile(scenario.fleet.prefill.profile),
    decode: loadProfile(scenario.fleet.decode.profile),
  };
  const noLimit = (): never => {
    throw notStreamed("num_gpu_blocks: unlimited", "is worked out from all requests", "a number of blocks");
  };
  const setup = fleetSetup(scenario, profiles, noLimit, time);
  const { kvEventDelayMs, kvEventLoss } = setup.signals;
  if ((kvEventDelayMs > 0 || kvEventLoss > 0) && usesKvEvents(setup.router)) {
    throw notStreamed("signals: late or lost KV events", "need the blocks of all requests", "neither");
  }
  const source = openGenerator(kind, parameters, seed);
  if (sessions === "linked" && source.awaits === undefined) {
    throw new InputError(`workload: linked sessions: ${kind} has no sessions, expected a generator that has`);
  }
  const stream = new StreamedRequests(source, {
    requests: requests ?? DEFAULT_REQUESTS,
    speedup,
    linksTurns: sessions !== "independent" && source.awaits !== undefined,
    check: capacityCheck(setup),
  });
  const measures = new StreamedMeasures(scenario.slo);
  const startedMs = performance.now();
  const run = simulateStream(setup, stream, measures, hooks);
  const wallS = (performance.now() - startedMs) / 1000;
  return measures.summary(run, {
    scenario: scenario.name,
    settings: settingsOf(scenario),
    slo: scenario.slo,
    hitRatesKnown: stream.hasBlocks,
    wallS,
  });
}

/** The generator of a scenario whose requests can be sent as they are made. */
function generatorOf({ workload }: Scenario): NonNullable<Scenario["workload"]["generate"]> {
  const { generate, rate, concurrency, think_ms: thinkMs } = workload;
  if (generate === null) {
    throw notStreamed("workload: a trace", "is read as a whole", "`workload: { generate: ... }`");
  }
  if (rate !== null) {
    throw notStreamed(`workload.rate: ${rate}`, "is spread over all requests", "the generator's own rate");
  }
  if (concurrency > 0) throw notStreamed(`workload.concurrency: ${concurrency}`, "is a closed loop", "0");
  if (thinkMs !== null) {
    throw notStreamed(`workload.think_ms: ${thinkMs}`, "replaces think times", "the generator's own");
  }
  return generate;
}

function notStreamed(what: string, why: string, expected: string): InputError {
  return new InputError(
    `--stream: ${what}: ${why}, which a run that keeps no requests cannot do; expected ${expected}`,
  );
}

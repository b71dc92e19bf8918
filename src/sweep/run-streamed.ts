import { InputError } from "../errors.js";
import type { RequestRows } from "../measure/request-rows.js";
import type { RunTotals } from "../measure/records.js";
import { StreamedMeasures } from "../measure/streamed-measures.js";
import type { Provenance, Summary } from "../measure/summary.js";
import { usesKvEvents } from "../routing/signals-used.js";
import { loadProfile } from "../scenario/profiles.js";
import type { Scenario } from "../scenario/schema.js";
import { settingsOf } from "../scenario/to-yaml.js";
import { arrivalOptions } from "../scenario/workload-settings.js";
import { fleetSetup } from "../simulator/scenario-setup.js";
import type { SimulationHooks } from "../simulator/hooks.js";
import { simulateStream, type StreamSink } from "../simulator/simulator.js";
import type { FleetSetup } from "../simulator/setup.js";
import { StreamedRequests, type StreamOptions } from "../simulator/streamed-requests.js";
import { randomStream } from "../values/random.js";
import { checkArrivals, type ArrivalSettings } from "../workload/arrivals.js";
import { gapSampler, retimedNote } from "../workload/build-workload.js";
import { DEFAULT_REQUESTS, openGenerator } from "../workload/generate-workload.js";
import { TraceStream } from "../workload/trace-stream.js";
import { capacityCheck } from "./check-capacity.js";
import { noWorkload } from "./load-trace.js";

/** How a streamed run goes on, and what is told of it meanwhile. */
export interface StreamedRunOptions extends Pick<SimulationHooks, "onProgress"> {
  readonly time?: "fast" | "plain";
  /** Goes into the summary. */
  readonly provenance?: Provenance;
  /** Gets every request as it is over, in order of rows. */
  readonly rows?: Pick<RequestRows, "add">;
}

/**
 * `runScenario` in constant memory: requests are generated, or read from their trace, on the way, measured and
 * forgotten.
 *
 * @returns the summary that `runScenario` gives, with percentiles from a sketch, and what it was made from
 * @throws InputError for what needs all requests at once, and where a request cannot be served by the fleet at all
 */
export async function runStreamed(
  scenario: Scenario,
  { time = "fast", provenance, rows, ...hooks }: StreamedRunOptions = {},
): Promise<{ readonly run: RunTotals; readonly summary: Summary }> {
  const arrivals = checkArrivals(arrivalOptions(scenario.workload));
  refuse(scenario, arrivals);
  const setup = streamedSetup(scenario, time);
  const check = capacityCheck(setup);
  const stream =
    scenario.workload.trace === null
      ? generatedRequests(scenario, arrivals, check)
      : await traceRequests(scenario, arrivals, check);
  const measures = new StreamedMeasures(scenario.slo);
  const startedMs = performance.now();
  const sink: StreamSink = {
    retire(records, place, branches) {
      measures.retire(records, place);
      rows?.add(records, place, branches);
    },
    addGaps: measures.addGaps.bind(measures),
  };
  const run = simulateStream(setup, stream, sink, hooks);
  const wallS = (performance.now() - startedMs) / 1000;
  const summary = measures.summary(run, {
    scenario: scenario.name,
    ...(provenance !== undefined && { provenance }),
    settings: settingsOf(scenario),
    slo: scenario.slo,
    hitRatesKnown: stream.hasBlocks,
    wallS,
  });
  return { run, summary };
}

function streamedSetup(scenario: Scenario, time: "fast" | "plain"): FleetSetup {
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
  return setup;
}

/** Settings that no stream of requests can have. */
function refuse({ workload }: Scenario, { concurrency, thinkMs }: ArrivalSettings): void {
  if (workload.trace === null && workload.generate === null) throw noWorkload();
  if (concurrency > 0) throw notStreamed(`workload.concurrency: ${concurrency}`, "is a closed loop", "0");
  if (thinkMs !== null) {
    throw notStreamed(`workload.think_ms: ${thinkMs}`, "replaces think times", "those of the requests");
  }
}

type Check = StreamOptions["check"];

function generatedRequests(scenario: Scenario, arrivals: ArrivalSettings, check: Check): StreamedRequests {
  const { kind, ...parameters } = scenario.workload.generate!;
  const source = openGenerator(kind, parameters, scenario.seed);
  const { sessions, rate } = arrivals;
  if (sessions === "linked" && source.awaits === undefined) {
    throw new InputError(`workload: linked sessions: ${kind} has no sessions, expected a generator that has`);
  }
  const linksTurns = sessions !== "independent" && source.awaits !== undefined;
  if (linksTurns && rate !== null) {
    throw notStreamed(
      `workload.rate: ${rate}`,
      "is spread over all first turns of sessions",
      "the generator's own rate, or `sessions: independent`",
    );
  }
  const { requests, speedup } = arrivals;
  return new StreamedRequests(source, {
    requests: requests ?? DEFAULT_REQUESTS,
    speedup,
    ...retiming(arrivals, scenario.seed),
    linksTurns,
    check,
  });
}

async function traceRequests(
  { workload, seed }: Scenario,
  arrivals: ArrivalSettings,
  check: Check,
): Promise<StreamedRequests> {
  const { sessions, rate, jitter, speedup } = arrivals;
  if (sessions === "linked") {
    throw notStreamed(
      "workload.sessions: linked",
      "needs the later turns of a trace, which are not known before they are read",
      "`independent`, or `auto` for a trace without think times",
    );
  }
  const requests = arrivals.requests ?? Infinity;
  const source = await TraceStream.open(workload.trace!, {
    format: workload.format,
    skipBadLines: workload.skip_bad_lines,
    requests,
    jitter: jitter ? randomStream(seed, "arrival-jitter") : null,
    keepsTimes: rate === null,
    ignoresThinkTimes: sessions === "independent",
  });
  return new StreamedRequests(source, {
    requests,
    speedup,
    startMs: 0,
    content: source,
    ...retiming(arrivals, seed),
    linksTurns: false,
    check,
  });
}

/** Times of its own for each request, where there is a rate. */
function retiming(settings: ArrivalSettings, seed: number): Pick<StreamOptions, "nextGapMs" | "retimed"> {
  const { rate } = settings;
  if (rate === null) return {};
  const nextGap = gapSampler(settings, seed);
  const meanGapMs = 1000 / rate;
  return { nextGapMs: () => meanGapMs * nextGap(), retimed: retimedNote(settings, rate) };
}

function notStreamed(what: string, why: string, expected: string): InputError {
  return new InputError(
    `--stream: ${what}: ${why}, which a run that keeps no requests cannot do; expected ${expected}`,
  );
}

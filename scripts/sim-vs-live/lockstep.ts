import { startMockEngines } from "../../mock-engines/start-mock-engines.js";
import type { RunResult } from "../../src/measure/records.js";
import { startProxy } from "../../src/proxy/server.js";
import { parseWorkerUrl } from "../../src/proxy/worker-url.js";
import { DEFAULT_TOKEN_RANGE } from "../../src/replay/prompt-tokens.js";
import { Replayer } from "../../src/replay/replayer.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import type { Scenario } from "../../src/scenario/schema.js";
import type { Workload } from "../../src/workload/workload.js";
import { SteppedClock } from "./stepped-clock.js";
import { Wire } from "./wire.js";

/** A live run, with the places of its workers in the fleet. */
export interface LockstepRun {
  readonly run: RunResult;
  /** For every worker of `run.workers`: its number in the fleet, prefill workers first. */
  readonly fleetPlaces: readonly number[];
}

/**
 * Replays a workload through the proxy to mock engines, over real sockets, in virtual time: the clock of all three stands
 * still while anything is on the wire, so messages take no time, and the result does not depend on the machine.
 *
 * @param eventLog File for the calls to the proxy's routing core.
 */
export async function replayInLockstep(
  scenario: Scenario,
  workload: Workload,
  eventLog: string,
): Promise<LockstepRun> {
  const wire = new Wire();
  const clock = new SteppedClock();
  const fleet = await startMockEngines({ scenario, clock });
  const urls = (leg: "prefill" | "decode") =>
    fleet.engines.filter(({ role }) => role === leg).map(({ url }) => parseWorkerUrl(url));
  const { config, statsIntervalMs } = resolveRouterConfig(scenario.router);
  const proxy = await startProxy({
    host: "127.0.0.1",
    port: 0,
    prefill: urls("prefill"),
    decode: urls("decode"),
    router: config,
    seed: scenario.seed,
    connector: { connector: "nixl", remoteHost: "as_reported", decoders: {} },
    maxPayloadBytes: 1 << 28,
    engineStatsIntervalMs: scenario.signals.stats_interval_ms ?? statsIntervalMs ?? 1000,
    onDefect: (error) => {
      throw error;
    },
    clock,
    eventLog,
  });
  await wire.settled();
  const replayer = new Replayer({
    url: proxy.url,
    workload,
    body: { endpoint: "completions", promptForm: "ids", model: fleet.engines[0]!.model },
    tokenRange: DEFAULT_TOKEN_RANGE,
    headers: {},
    timeScale: 1,
    clock,
    timeoutMs: 600_000,
    warmups: 0,
  });
  try {
    const progress = { isOver: false };
    const running = replayer.run().finally(() => {
      progress.isOver = true;
    });
    await wire.settled();
    while (!progress.isOver) {
      clock.step();
      await wire.settled();
    }
    const { run } = await running;
    const places = new Map(fleet.engines.map(({ url }, place) => [parseWorkerUrl(url).id, place]));
    return { run, fleetPlaces: run.workers.map(({ id }) => places.get(id)!) };
  } finally {
    await proxy.close();
    await fleet.close();
    wire.close();
  }
}

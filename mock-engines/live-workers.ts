import type { EngineProfile } from "../src/engine/profile.js";
import { defaultScenario } from "../src/scenario/load.js";
import { loadProfile } from "../src/scenario/profiles.js";
import { engineSettings } from "../src/scenario/resolve.js";
import type { Scenario } from "../src/scenario/schema.js";
import { scenarioSetup } from "../src/simulator/scenario-setup.js";
import type { NetworkSetup, WorkerSetup } from "../src/simulator/setup.js";
import type { Workload } from "../src/workload/workload.js";

/** One engine to be served. */
export interface LiveWorker {
  readonly role: "prefill" | "decode";
  readonly worker: WorkerSetup;
  readonly profile: EngineProfile;
  /** What `GET /version` says. */
  readonly version: string;
}

/** The engines of a scenario and the network between them, as the simulator would set them up. */
export interface LiveFleet {
  /** Prefill engines first. */
  readonly workers: readonly LiveWorker[];
  readonly network: NetworkSetup;
}

/** What `num_gpu_blocks: unlimited` comes to: 16 M tokens of KV at 16 a block. */
const UNLIMITED_BLOCKS = 2 ** 20;

/** Of the releases whose scheduler rules the engine model knows. */
const VERSIONS = { "0.11": "0.11.0", "0.19": "0.19.1", "main-2026-08": "main-2026-08" } as const;

/** The default scenario with the given settings, by short name or dotted path as on the command line. */
export function scenarioOf(settings: Readonly<Record<string, unknown>>): Scenario {
  const overrides = Object.entries(settings).map(([setting, value]) => ({ setting, value, source: setting }));
  return defaultScenario(overrides);
}

/** @throws InputError for a profile that cannot be used */
export function liveFleet(scenario: Scenario): LiveFleet {
  const profiles = {
    prefill: loadProfile(scenario.fleet.prefill.profile),
    decode: loadProfile(scenario.fleet.decode.profile),
  };
  const setup = scenarioSetup(scenario, profiles, NO_WORKLOAD);
  const workers = (["prefill", "decode"] as const).flatMap((role) => {
    const { num_gpu_blocks: blocks, vllm_version: release } = engineSettings(scenario, role);
    return setup[role].map((worker) => ({
      role,
      worker:
        blocks === "unlimited"
          ? { ...worker, engine: { ...worker.engine, numGpuBlocks: UNLIMITED_BLOCKS } }
          : worker,
      profile: profiles[role],
      version: VERSIONS[release],
    }));
  });
  return { workers, network: setup.network };
}

/** Live engines get their requests from clients. */
const NO_WORKLOAD: Workload = {
  count: 0,
  arrivalMs: new Float64Array(0),
  inputTokens: new Int32Array(0),
  outputTokens: new Int32Array(0),
  blocks: { blockTokens: 1, runId: new Int32Array(0), runCount: new Int32Array(0) },
  runOffset: new Float64Array(1),
  session: new Int32Array(0),
  priority: new Int32Array(0),
  cancelAfterMs: new Float64Array(0),
  previous: new Int32Array(0),
  thinkMs: new Float64Array(0),
  concurrency: 0,
  hasBlocks: false,
  notes: [],
};

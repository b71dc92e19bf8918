import { InputError, WorkError } from "../src/errors.js";
import type { Scenario } from "../src/scenario/schema.js";
import { kvEventsAfter, type KvEventSettings } from "./events/kv-event-publisher.js";
import { SharedStorage } from "./kv/shared-storage.js";
import { Transfers } from "./kv/transfers.js";
import { changeKnobs, DEFAULT_KNOBS } from "./knobs.js";
import { liveFleet, scenarioOf } from "./live-workers.js";
import { MockEngine, type MockEngineState } from "./mock-engine.js";
import { portAfter } from "./listen.js";
import { builtinTokenizer } from "./tokenizer/builtin-tokenizer.js";
import { loadTokenizerFile } from "./tokenizer/tokenizer-file.js";
import { VirtualClock } from "./virtual-clock.js";

/** Which engines run, and how they are served. */
export interface MockEnginesOptions {
  /** The fleet, its engines and network; the default scenario with `settings` otherwise. */
  readonly scenario?: Scenario;
  /**
   * Without a scenario: settings that differ from the default one's, by short name or dotted path, e.g.
   * `{ prefill_workers: 2, profile: "llama-3.1-8b-h100-tp1-bf16", "engine.num_gpu_blocks": 500 }`.
   */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Address to listen on; loopback unless told otherwise. */
  readonly host?: string;
  /** Port of the first prefill engine, the others follow, decode engines last; 0 (default) = any free ports. */
  readonly basePort?: number;
  /** Port of the first side channel, in the same order; 0 (default) = any free ports. */
  readonly sideChannelBasePort?: number;
  /** Wall ms of one virtual ms: 0.25 runs four times as fast. Default 1. */
  readonly timeScale?: number;
  /** Time of the engines, instead of one that follows the wall clock at `timeScale`. */
  readonly clock?: VirtualClock;
  /** Served model name; the profile's otherwise. */
  readonly model?: string;
  /** Path of a `tokenizer.json`; the built-in tokenizer otherwise. */
  readonly tokenizer?: string;
  /** Engines (data-parallel ranks) behind each port. Default 1. */
  readonly dataParallelSize?: number;
  /** `shared_storage`: engines write KV to one storage and read it from there. Default `nixl`. */
  readonly kvConnector?: "nixl" | "shared_storage";
  /** Publish KV events over ZMQ, ports in the order of the engines. Default: none. */
  readonly kvEvents?: Partial<KvEventSettings>;
  /** Knobs in force from the start, as in `POST /admin/config`. */
  readonly knobs?: Readonly<Record<string, unknown>>;
}

/** One server that runs. */
export interface RunningEngine {
  /** e.g. `prefill-0`. */
  readonly name: string;
  readonly role: "prefill" | "decode";
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Where its side channels listen, one per data-parallel rank. */
  readonly sideChannels: readonly { readonly host: string; readonly port: number }[];
  /** Where its KV events are published, one per rank; null = nowhere. */
  readonly kvEvents: readonly ({ readonly port: number; readonly replayPort: number } | null)[];
  readonly model: string;
  state(): MockEngineState;
  /** @throws InputError naming the knob that is wrong */
  changeKnobs(changes: Readonly<Record<string, unknown>>): void;
  /** Goes down like a killed process; comes back after `restartAfterMs` (virtual) unless that is null. */
  crash(restartAfterMs: number | null): Promise<void>;
}

/** All engines of a scenario, running. */
export interface MockFleet {
  /** Prefill engines first. */
  readonly engines: readonly RunningEngine[];
  /** Virtual ms since the start. */
  nowMs(): number;
  close(): Promise<void>;
}

const STORAGE_BLOCKS = 2 ** 20;
const KV_EVENTS: KvEventSettings = {
  port: 0,
  replayPort: 0,
  topic: "",
  bufferSteps: 10_000,
  format: "array",
};

/**
 * Starts the engines of a scenario, each behind a port of its own, and resolves when all listen.
 *
 * @throws InputError for settings that make no sense, WorkError when a port cannot be had
 */
export async function startMockEngines(options: MockEnginesOptions = {}): Promise<MockFleet> {
  const { timeScale = 1, dataParallelSize = 1 } = options;
  if (!(timeScale > 0)) throw new InputError(`time scale ${timeScale}: expected a number above 0`);
  const scenario = options.scenario ?? scenarioOf(options.settings ?? {});
  const clock = options.clock ?? new VirtualClock(timeScale);
  const engines = buildEngines(scenario, options, clock, dataParallelSize);
  const close = async (): Promise<void> => {
    clock.close();
    await Promise.all(engines.map((engine) => engine.close()));
  };
  try {
    for (const engine of engines) await engine.start();
  } catch (error) {
    await close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new WorkError(`mock engines cannot listen: ${reason}`);
  }
  return { engines: engines.map(running), nowMs: () => clock.nowMs(), close };
}

function buildEngines(
  scenario: Scenario,
  options: MockEnginesOptions,
  clock: VirtualClock,
  dataParallelSize: number,
): MockEngine[] {
  const { workers, network } = liveFleet(scenario);
  const { host = "127.0.0.1", basePort = 0, sideChannelBasePort = 0 } = options;
  const knobs = changeKnobs(DEFAULT_KNOBS, options.knobs ?? {}, "knobs");
  const kvEvents = options.kvEvents === undefined ? null : { ...KV_EVENTS, ...options.kvEvents };
  const engines: MockEngine[] = [];
  const linkOf = (engineId: string): number | null => {
    for (const [i, engine] of engines.entries()) {
      const rank = engine.ranks.findIndex((candidate) => candidate.engineId === engineId);
      if (rank >= 0) return i * dataParallelSize + rank;
    }
    return null;
  };
  const shared = {
    dataParallelSize,
    host,
    tokenizer: options.tokenizer === undefined ? builtinTokenizer : loadTokenizerFile(options.tokenizer),
    seed: scenario.seed,
    knobs,
    clock,
    transfers: new Transfers({ ...network, engines: workers.length * dataParallelSize }, clock),
    linkOf,
    storage: options.kvConnector === "shared_storage" ? new SharedStorage(STORAGE_BLOCKS) : null,
  };
  for (const [i, { role, worker, profile, version }] of workers.entries()) {
    const firstLink = i * dataParallelSize;
    engines.push(
      new MockEngine({
        ...shared,
        name: worker.id,
        role,
        worker,
        version,
        port: portAfter(basePort, i),
        sidePort: portAfter(sideChannelBasePort, firstLink),
        kvEvents: kvEvents === null ? null : kvEventsAfter(kvEvents, firstLink),
        model: options.model ?? profile.model.name,
        modelRoot: profile.model.name,
        firstLink,
      }),
    );
  }
  return engines;
}

function running(engine: MockEngine): RunningEngine {
  const { name, role, host, model } = engine.setup;
  return {
    name,
    role,
    host,
    model,
    get url() {
      return engine.url;
    },
    get port() {
      return engine.port;
    },
    get sideChannels() {
      return engine.ranks.map((rank) => rank.sideAddress);
    },
    get kvEvents() {
      return engine.ranks.map((rank) => rank.kvEventPorts);
    },
    state: () => engine.state(),
    changeKnobs: (changes) => engine.changeKnobs(changes, "changeKnobs"),
    crash: (restartAfterMs) => engine.crash(restartAfterMs),
  };
}

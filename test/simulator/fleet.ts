import { VLLM_VERSIONS } from "../../src/engine/vllm-versions.js";
import type { EngineConfig, StepTimeModel } from "../../src/engine/types.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import type { NetworkSetup, SignalSetup, SimulationSetup, WorkerSetup } from "../../src/simulator/setup.js";
import type { Workload } from "../../src/workload/workload.js";

/** 5 ms a step, 0.02 ms a prefill token, 1e-4 ms a context token. */
export const STEP_TIME: StepTimeModel = {
  stepMs: (load) => 5 + 0.02 * (load.prefillTokens + load.decodes) + 1e-4 * load.decodeContextTokens,
  decodeLine(decodes, _contextTokens, out) {
    out.interceptMs = 5 + 0.02 * decodes;
    out.slopeMsPerToken = 1e-4;
    out.untilContextTokens = Infinity;
  },
};

export const ENGINE: EngineConfig = {
  blockSize: 16,
  numGpuBlocks: 1025,
  maxNumSeqs: 32,
  maxNumBatchedTokens: 512,
  longPrefillTokenThreshold: 0,
  maxModelLen: 8192,
  enablePrefixCaching: true,
  enableChunkedPrefill: true,
  schedulingPolicy: "fcfs",
  asyncScheduling: false,
  rules: VLLM_VERSIONS["0.19"],
};

export interface FleetOptions {
  readonly prefill?: number;
  readonly decode?: number;
  readonly engine?: Partial<EngineConfig>;
  readonly network?: Partial<NetworkSetup>;
  readonly router?: Readonly<Record<string, unknown>>;
  readonly signals?: Partial<SignalSetup>;
  readonly overheadMs?: number;
  readonly time?: "fast" | "plain";
  readonly seed?: number;
}

/** A small fleet for `workload`; every option has a default. */
export function fleet(workload: Workload, options: FleetOptions = {}): SimulationSetup {
  const worker = {
    engine: { ...ENGINE, ...options.engine },
    stepTime: STEP_TIME,
    kvBytesPerToken: 1e5,
    requestOverheadMs: options.overheadMs ?? 0,
    responseOverheadMs: options.overheadMs ?? 0,
    heldKvTimeoutMs: 1000,
  };
  const workers = (leg: string, count: number): WorkerSetup[] =>
    Array.from({ length: count }, (_, i) => ({ id: `${leg}-${i}`, ...worker }));
  return {
    workload,
    prefill: workers("prefill", options.prefill ?? 2),
    decode: workers("decode", options.decode ?? 2),
    network: { bandwidthGbps: 100, latencyMs: 1, contention: true, hopMs: 0, ...options.network },
    router: resolveRouterConfig(options.router ?? { decider: { kind: "threshold", routing_threshold: 256 } })
      .config,
    signals: { statsIntervalMs: 100, statsDelayMs: 5, kvEventDelayMs: 0, kvEventLoss: 0, ...options.signals },
    seed: options.seed ?? 1,
    time: options.time ?? "fast",
    timelineIntervalMs: 0,
  };
}

/** One request of a hand-made workload. */
export interface Row {
  readonly arrivalMs?: number;
  readonly input: number;
  readonly output: number;
  /** Ids of its blocks of 16 tokens. */
  readonly blocks?: readonly number[];
  readonly session?: number;
  readonly previous?: number;
  readonly thinkMs?: number;
  readonly cancelAfterMs?: number;
  readonly priority?: number;
}

export function workloadOf(rows: readonly Row[], concurrency = 0): Workload {
  const ids = rows.flatMap((row) => row.blocks ?? []);
  const runOffset = new Float64Array(rows.length + 1);
  rows.forEach((row, i) => (runOffset[i + 1] = runOffset[i]! + (row.blocks?.length ?? 0)));
  const floats = (value: (row: Row) => number) => Float64Array.from(rows, value);
  const ints = (value: (row: Row) => number) => Int32Array.from(rows, value);
  return {
    count: rows.length,
    arrivalMs: floats((row) => (row.previous === undefined ? (row.arrivalMs ?? 0) : NaN)),
    inputTokens: ints((row) => row.input),
    outputTokens: ints((row) => row.output),
    blocks: { blockTokens: 16, runId: Int32Array.from(ids), runCount: new Int32Array(ids.length).fill(1) },
    runOffset,
    session: ints((row) => row.session ?? -1),
    priority: ints((row) => row.priority ?? 0),
    cancelAfterMs: floats((row) => row.cancelAfterMs ?? NaN),
    previous: ints((row) => row.previous ?? -1),
    thinkMs: floats((row) => row.thinkMs ?? NaN),
    concurrency,
    hasBlocks: ids.length > 0,
    notes: [],
  };
}

import type { EngineConfig, StepTimeModel } from "../engine/types.js";
import type { RouterConfig } from "../routing/router-config.js";
import type { Workload } from "../workload/workload.js";

/** One modelled engine and the host around it. */
export interface WorkerSetup {
  /** e.g. `prefill-0`; unique in the fleet. */
  readonly id: string;
  readonly engine: EngineConfig;
  readonly stepTime: StepTimeModel;
  /** KV cache of one token, all layers and heads of the model, bytes. */
  readonly kvBytesPerToken: number;
  /** From the arrival of the request at the server to its place in the engine's queue, ms. */
  readonly requestOverheadMs: number;
  /** From the end of a step to the token at the server's socket, ms. */
  readonly responseOverheadMs: number;
  /** How long a prefill engine holds KV that nobody reads, ms. */
  readonly heldKvTimeoutMs: number;
}

export interface NetworkSetup {
  /** One direction of a worker's link, Gbit/s; Infinity = KV moves in no time. */
  readonly bandwidthGbps: number;
  readonly latencyMs: number;
  /** False: every transfer has the whole link to itself. */
  readonly contention: boolean;
  /** Router to worker, one way, ms. */
  readonly hopMs: number;
}

/** When the router hears of the engines' state. */
export interface SignalSetup {
  /** Time between two polls of the engine statistics, ms; 0 = read at every decision. */
  readonly statsIntervalMs: number;
  /** Age of a poll's values when the router gets them, ms. */
  readonly statsDelayMs: number;
  /** From the change of an engine's prefix cache to the router's index, ms. */
  readonly kvEventDelayMs: number;
  /** Share of KV event messages that never arrive, 0..1. */
  readonly kvEventLoss: number;
}

/** Everything a run depends on beside its requests. */
export interface FleetSetup {
  readonly prefill: readonly WorkerSetup[];
  readonly decode: readonly WorkerSetup[];
  readonly network: NetworkSetup;
  readonly router: RouterConfig;
  readonly signals: SignalSetup;
  readonly seed: number;
  /** `plain` advances step by step: the oracle of `fast`. */
  readonly time: "fast" | "plain";
  /** Time between two samples of the workers' state, ms; 0 = chosen from the length of the run. */
  readonly timelineIntervalMs: number;
}

/** Everything a run depends on; equal set-ups give equal results to the byte. */
export interface SimulationSetup extends FleetSetup {
  readonly workload: Workload;
}

import type { WorkerSetup } from "../src/simulator/setup.js";
import { EngineRank, type RankState } from "./engine-rank.js";
import { kvEventsAfter, type KvEventSettings } from "./events/kv-event-publisher.js";
import { Faults } from "./faults.js";
import { adminRoutes } from "./http/admin-routes.js";
import { ApiError } from "./http/api-error.js";
import { generationRoutes } from "./http/generation-routes.js";
import { HttpServer, type HttpCall } from "./http/http-server.js";
import { serviceRoutes } from "./http/service-routes.js";
import { portAfter } from "./listen.js";
import type { SharedStorage } from "./kv/shared-storage.js";
import type { Transfers } from "./kv/transfers.js";
import { changeKnobs, type Knobs } from "./knobs.js";
import { MetricsRegistry } from "./metrics.js";
import { OutputPlanner } from "./output-plan.js";
import { ServedModels } from "./served-models.js";
import { SleepGate } from "./sleep-gate.js";
import type { Tokenizer } from "./tokenizer/tokenizer.js";
import type { VirtualClock } from "./virtual-clock.js";

/** What one server is made of. */
export interface MockEngineSetup {
  /** e.g. `prefill-0`. */
  readonly name: string;
  readonly role: "prefill" | "decode";
  readonly worker: WorkerSetup;
  readonly dataParallelSize: number;
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Port of the first rank's side channel, the others follow; 0 = any free ones. */
  readonly sidePort: number;
  /** KV events of the first rank, the others' ports follow; null = none. */
  readonly kvEvents: KvEventSettings | null;
  readonly model: string;
  readonly modelRoot: string;
  readonly version: string;
  readonly tokenizer: Tokenizer;
  readonly seed: number;
  readonly knobs: Knobs;
  readonly clock: VirtualClock;
  readonly transfers: Transfers;
  /** Link of the first rank, the others follow. */
  readonly firstLink: number;
  readonly linkOf: (engineId: string) => number | null;
  readonly storage: SharedStorage | null;
}

/** State of one server at one instant, as `GET /admin/state` answers it. */
export interface MockEngineState {
  readonly name: string;
  readonly role: "prefill" | "decode";
  readonly sleeping: boolean;
  /** Generation requests that have no answer yet. */
  readonly serverLoad: number;
  readonly ranks: readonly RankState[];
}

/** One vLLM server: its HTTP front and the engines (data-parallel ranks) behind it. */
export class MockEngine {
  readonly setup: MockEngineSetup;
  readonly ranks: readonly EngineRank[];
  readonly models: ServedModels;
  readonly planner: OutputPlanner;
  readonly faults: Faults;
  readonly gate = new SleepGate();
  readonly metrics: MetricsRegistry;
  /** Generation requests that have no answer yet. */
  serverLoad = 0;
  /** Port the server listens on. */
  port: number;
  private knobsInForce: Knobs;
  private readonly http: HttpServer;
  private readyMs = 0;

  constructor(setup: MockEngineSetup) {
    const { worker, host, sidePort, kvEvents, firstLink, clock, transfers, linkOf, storage } = setup;
    this.setup = setup;
    this.port = setup.port;
    this.knobsInForce = setup.knobs;
    this.faults = new Faults(setup.seed, setup.name);
    this.planner = new OutputPlanner(setup.tokenizer);
    this.models = new ServedModels(setup.model, setup.modelRoot, worker.engine.maxModelLen);
    this.metrics = new MetricsRegistry(setup.model, worker.engine.maxModelLen);
    this.ranks = Array.from({ length: setup.dataParallelSize }, (_, index) => {
      const exchange = {
        clock,
        transfers,
        link: firstLink + index,
        linkOf,
        storage,
        blockSize: worker.engine.blockSize,
        kvBytesPerToken: worker.kvBytesPerToken,
        heldKvTimeoutMs: worker.heldKvTimeoutMs,
        knobs: () => this.knobsInForce,
        faults: this.faults,
        metrics: this.metrics.engine(index, worker.engine),
      };
      return new EngineRank(index, worker, exchange, {
        host,
        sidePort: portAfter(sidePort, index),
        kvEvents: kvEvents === null ? null : kvEventsAfter(kvEvents, index),
      });
    });
    this.http = new HttpServer(
      { ...generationRoutes(this), ...serviceRoutes(this), ...adminRoutes(this) },
      (call, path) => this.refuseWhileStarting(call, path),
    );
  }

  get knobs(): Knobs {
    return this.knobsInForce;
  }

  /** @throws InputError naming the knob that is wrong; none is changed then */
  changeKnobs(changes: unknown, source: string): void {
    this.knobsInForce = changeKnobs(this.knobsInForce, changes, source);
  }

  get url(): string {
    return `http://${this.setup.host}:${this.port}`;
  }

  async start(): Promise<void> {
    for (const rank of this.ranks) await rank.listen();
    this.port = await this.http.listen(this.port, this.setup.host);
    this.readyMs = this.setup.clock.nowMs() + this.knobsInForce.startup_ms;
  }

  /**
   * Goes down as if the process had been killed: connections are reset, the cache and all handles are gone.
   * With `restartAfterMs` (virtual) it comes up again on the same port.
   */
  async crash(restartAfterMs: number | null): Promise<void> {
    await Promise.all([this.http.kill(), ...this.ranks.map((rank) => rank.close())]);
    this.forgetKv(new ApiError(500, "The engine has crashed."));
    if (restartAfterMs === null) return;
    const { clock } = this.setup;
    clock.at(clock.nowMs() + restartAfterMs, () => void this.start());
  }

  async close(): Promise<void> {
    await Promise.all([this.http.close(), ...this.ranks.map((rank) => rank.close())]);
  }

  /** vLLM's sleep: open requests are aborted and the KV cache is given up. */
  sleep(): void {
    this.gate.close();
    this.forgetKv(new ApiError(503, "The engine has been put to sleep."));
  }

  /** Empties every prefix cache; open requests fail with `error`. */
  forgetKv(error: ApiError): void {
    for (const rank of this.ranks) rank.restart(error);
  }

  state(): MockEngineState {
    const { name, role } = this.setup;
    return {
      name,
      role,
      sleeping: this.gate.isClosed,
      serverLoad: this.serverLoad,
      ranks: this.ranks.map((rank) => rank.state()),
    };
  }

  private refuseWhileStarting(_call: HttpCall, path: string): void {
    if (path.startsWith("/admin/") || this.setup.clock.nowMs() >= this.readyMs) return;
    throw new ApiError(503, "The engine is starting.");
  }
}

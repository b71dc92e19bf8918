import { randomUUID } from "node:crypto";
import type { WorkerSetup } from "../src/simulator/setup.js";
import type { StepView } from "../src/engine/observer.js";
import { EngineDriver, type DriverEvents, type DriverGauges } from "./engine-driver.js";
import { KvEventPublisher, type KvEventSettings } from "./events/kv-event-publisher.js";
import { KvEventTracker } from "./events/kv-event-tracker.js";
import type { ApiError } from "./http/api-error.js";
import { KvExchange, type KvExchangeSetup, type KvExchangeState } from "./kv/kv-exchange.js";
import { SideChannelServer } from "./kv/side-channel.js";
import type { Leg, LegSink, LegSpec } from "./leg.js";
import type { EngineMetrics } from "./metrics.js";

/** State of one engine at one instant. */
export interface RankState extends DriverGauges, KvExchangeState {
  readonly engineId: string;
  readonly openLegs: number;
}

/** Where a rank listens; 0 = any free port. */
export interface RankPorts {
  readonly host: string;
  readonly sidePort: number;
  /** Null = no KV events. */
  readonly kvEvents: KvEventSettings | null;
}

/**
 * One engine with its end of the KV exchange and its side channel: what vLLM calls a data-parallel rank. It can
 * be started anew, with an empty cache and no memory of the handles it has given out.
 */
export class EngineRank {
  readonly index: number;
  private readonly setup: KvExchangeSetup;
  private readonly driver: EngineDriver;
  private readonly tracker: KvEventTracker;
  private ports: RankPorts;
  private exchange: KvExchange;
  private side: SideChannelServer | null = null;
  private publisher: KvEventPublisher | null = null;

  constructor(index: number, worker: WorkerSetup, setup: KvExchangeSetup, ports: RankPorts) {
    this.index = index;
    this.setup = setup;
    this.ports = ports;
    const { metrics } = setup;
    this.tracker = new KvEventTracker(setup.blockSize, (id) => this.driver.legOf(id));
    const onStep = (step: StepView): void => this.publisher?.publish(this.tracker.onStep(step));
    const events: DriverEvents = {
      kvReadStart: (leg, atMs, tokens) => this.exchange.onReadStart(leg, atMs, tokens),
      token: (leg, atMs) => metrics.token(leg, atMs),
      finished: (leg, atMs) => {
        metrics.finished(leg, atMs, leg.state === "open" ? leg.spec.finishReason : "abort");
        this.exchange.onFinished(leg, atMs);
      },
    };
    this.driver = new EngineDriver(worker, setup.clock, events, ports.kvEvents === null ? null : onStep);
    this.exchange = this.newExchange();
  }

  get engineId(): string {
    return this.exchange.engineId;
  }

  /** Where the side channel listens. */
  get sideAddress(): { readonly host: string; readonly port: number } {
    return { host: this.ports.host, port: this.ports.sidePort };
  }

  /** Where KV events are published, or null. */
  get kvEventPorts(): { readonly port: number; readonly replayPort: number } | null {
    const { kvEvents } = this.ports;
    return kvEvents === null ? null : { port: kvEvents.port, replayPort: kvEvents.replayPort };
  }

  /** Opens the side channel and the KV events. Ports that were free to choose stay the same from then on. */
  async listen(): Promise<void> {
    const { host, kvEvents } = this.ports;
    const side = new SideChannelServer((message) => this.exchange.handle(message));
    this.ports = { ...this.ports, sidePort: await side.listen(this.ports.sidePort, host) };
    this.side = side;
    this.exchange.listensAt(host, this.ports.sidePort);
    if (kvEvents === null) return;
    this.publisher = await KvEventPublisher.open(kvEvents, host, this.setup.blockSize, this.index);
    this.ports = { ...this.ports, kvEvents: { ...kvEvents, ...this.publisher.ports } };
  }

  /** Closes what `listen` opened, and every connection of it. */
  async close(): Promise<void> {
    this.exchange.close();
    this.publisher?.close();
    this.publisher = null;
    await this.side?.close();
    this.side = null;
  }

  /** @throws ApiError when the engine cannot serve it */
  submit(spec: LegSpec, sink: LegSink): Leg {
    const { role, source } = this.exchange.plan(spec);
    return this.driver.submit(spec, sink, role, source);
  }

  abort(leg: Leg): void {
    this.driver.abort(leg);
  }

  /** Prompt tokens that need not be computed here. */
  hitTokens(spec: LegSpec): number {
    return this.exchange.hitTokens(spec);
  }

  /** Starts the engine anew: the cache is empty, handles are forgotten, and open legs fail with `error`. */
  restart(error: ApiError): void {
    this.exchange.close();
    this.exchange = this.newExchange();
    this.exchange.listensAt(this.ports.host, this.ports.sidePort);
    this.setup.metrics.restarted();
    const cleared = this.tracker.clear();
    this.publisher?.publish([cleared]);
    this.driver.reset(error);
  }

  /** Legs that have not ended. */
  get openLegCount(): number {
    return this.driver.openLegCount;
  }

  /** Adapters that legs run with, and those that legs wait with. */
  adapters(): { readonly running: ReadonlySet<string>; readonly waiting: ReadonlySet<string> } {
    const running = new Set<string>();
    const waiting = new Set<string>();
    for (const { spec, scheduledMs } of this.driver.openLegs()) {
      if (spec.lora !== null) (Number.isNaN(scheduledMs) ? waiting : running).add(spec.lora);
    }
    return { running, waiting };
  }

  get metrics(): EngineMetrics {
    return this.setup.metrics;
  }

  /** Brings the gauges of the metrics up to date. */
  updateMetrics(): void {
    const { handlesOutstanding } = this.exchange.state();
    this.setup.metrics.update(this.driver.gauges(), this.driver.totals(), handlesOutstanding);
  }

  state(): RankState {
    return {
      engineId: this.engineId,
      openLegs: this.driver.openLegCount,
      ...this.driver.gauges(),
      ...this.exchange.state(),
    };
  }

  private newExchange(): KvExchange {
    return new KvExchange(randomUUID(), this.setup, this.driver);
  }
}

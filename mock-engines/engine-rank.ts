import { randomUUID } from "node:crypto";
import type { WorkerSetup } from "../src/simulator/setup.js";
import { EngineDriver, type DriverGauges } from "./engine-driver.js";
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

/**
 * One engine with its end of the KV exchange and its side channel: what vLLM calls a data-parallel rank. It can
 * be started anew, with an empty cache and no memory of the handles it has given out.
 */
export class EngineRank {
  readonly index: number;
  private readonly setup: KvExchangeSetup;
  private readonly driver: EngineDriver;
  private readonly host: string;
  private sidePort: number;
  private exchange: KvExchange;
  private side: SideChannelServer | null = null;

  /** @param sidePort port of the side channel, 0 = any free one */
  constructor(index: number, worker: WorkerSetup, setup: KvExchangeSetup, host: string, sidePort: number) {
    this.index = index;
    this.setup = setup;
    this.host = host;
    this.sidePort = sidePort;
    const { metrics } = setup;
    this.driver = new EngineDriver(worker, setup.clock, {
      scheduled: () => undefined,
      kvReadStart: (leg, atMs, tokens) => this.exchange.onReadStart(leg, atMs, tokens),
      token: (leg, atMs) => metrics.token(leg, atMs),
      preempted: () => undefined,
      finished: (leg, atMs) => {
        metrics.finished(leg, atMs, leg.state === "open" ? leg.spec.finishReason : "abort");
        this.exchange.onFinished(leg, atMs);
      },
    });
    this.exchange = this.newExchange();
  }

  get engineId(): string {
    return this.exchange.engineId;
  }

  /** Where the side channel listens. */
  get sideAddress(): { readonly host: string; readonly port: number } {
    return { host: this.host, port: this.sidePort };
  }

  /** Opens the side channel. */
  async listen(): Promise<void> {
    const side = new SideChannelServer((message) => this.exchange.handle(message));
    this.sidePort = await side.listen(this.sidePort, this.host);
    this.side = side;
    this.exchange.listensAt(this.host, this.sidePort);
  }

  /** Closes the side channel and every connection of it. */
  async close(): Promise<void> {
    this.exchange.close();
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
    this.exchange.listensAt(this.host, this.sidePort);
    this.setup.metrics.restarted();
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

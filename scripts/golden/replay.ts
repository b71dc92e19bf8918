import { createEngine } from "../../src/engine/engine.js";
import type { EngineObserver, StepView } from "../../src/engine/observer.js";
import type {
  DecodeLine,
  Engine,
  EngineListener,
  KvRole,
  StepLoad,
  StepTimeModel,
} from "../../src/engine/types.js";
import type { BlockSpan } from "../../src/values/block-span.js";
import { goldenContent } from "./content.js";
import { engineConfig, type GoldenConfig, type GoldenRequest, type GoldenScenario } from "./scenario.js";

/** What one request saw of one engine; times are ns of virtual time. */
export interface ReplayedRequest {
  arrivalNs: number;
  firstScheduledNs: number | null;
  /** Prefix tokens found on this engine at first admission. */
  cachedTokens: number;
  firstTokenNs: number | null;
  finishNs: number | null;
  finishReason: string | null;
  outputTokens: number;
  preemptions: number;
  tokenTimesNs: number[];
}

/** What one engine did. */
export interface ReplayedEngine {
  readonly steps: StepView[];
  readonly requests: Map<string, ReplayedRequest>;
  freeAtEnd: number;
  preemptions: number;
  /** Token gaps from the listener: gap in ns -> how often. */
  readonly gaps: Map<number, number>;
}

export type Side = "prefill" | "decode";
export type Replay = Partial<Record<Side, ReplayedEngine>>;

/** The step duration of the golden driver, in ns. */
const GOLDEN_STEP_TIME: StepTimeModel = {
  stepMs(load: StepLoad): number {
    const tokens = load.decodes + load.prefillTokens;
    const attended = load.decodeContextTokens + load.prefillContextTokens + load.prefillTokens;
    return 5_000_000 + 20_000 * tokens + 100 * attended;
  },
  decodeLine(decodes: number, _contextTokens: number, out: DecodeLine): void {
    out.interceptMs = 5_000_000 + 20_000 * decodes;
    out.slopeMsPerToken = 100;
    out.untilContextTokens = Infinity;
  },
};

interface Due {
  readonly atNs: number;
  readonly act: () => void;
}

/**
 * Runs a golden scenario through our engines, in ns, under the conventions of the golden driver: at one
 * instant first arrivals, aborts and ended transfers, then the prefill engine, then the decode engine.
 */
export function replay(scenario: GoldenScenario, time: "fast" | "plain"): Replay {
  return new Driver(scenario, time).run();
}

class Driver {
  private readonly scenario: GoldenScenario;
  private readonly numberOf: Map<string, number>;
  private readonly names: string[];
  private readonly spans: BlockSpan[];
  private readonly engines = new Map<Side, { engine: Engine; replayed: ReplayedEngine; usable: number }>();
  private due: Due[] = [];
  private nowNs = 0;

  constructor(scenario: GoldenScenario, time: "fast" | "plain") {
    this.scenario = scenario;
    // vLLM compares request ids as strings; numbers in that order let the engine do the same.
    this.names = scenario.requests.map((request) => request.id).sort();
    this.numberOf = new Map(this.names.map((name, number) => [name, number]));
    const { config, config_prefill: prefill, config_decode: decode } = scenario;
    if (config !== undefined) this.addEngine("decode", config, time);
    if (prefill !== undefined) this.addEngine("prefill", prefill, time);
    if (decode !== undefined) this.addEngine("decode", decode, time);
    this.spans = goldenContent(scenario.requests, (config ?? decode)!.block_size);
  }

  run(): Replay {
    const { requests, aborts } = this.scenario;
    const split = this.engines.has("prefill");
    for (const request of requests) {
      const side = split && request.local !== true ? "prefill" : "decode";
      const role: KvRole = side === "prefill" ? "remote_decode" : "local";
      this.at(request.arrival_ns, () => this.submit(side, request, role));
    }
    for (const abort of aborts) {
      const number = this.numberOf.get(abort.id) ?? -1;
      for (const side of sidesOf(abort)) {
        this.at(abort.time_ns, () => this.engines.get(side)?.engine.abort(number, abort.time_ns));
      }
    }
    this.loop();
    return this.collect();
  }

  private loop(): void {
    while (true) {
      const next = Math.min(
        ...this.due.map((event) => event.atNs),
        ...[...this.engines.values()].map(({ engine }) => engine.nextEventMs()),
      );
      if (next === Infinity) return;
      this.nowNs = next;
      const now = this.due.filter((event) => event.atNs <= next);
      this.due = this.due.filter((event) => event.atNs > next);
      for (const event of now) event.act();
      this.engines.get("prefill")?.engine.advance(next);
      this.runDue(next);
      this.engines.get("decode")?.engine.advance(next);
    }
  }

  /** What the prefill engine has caused for this very instant. */
  private runDue(nowNs: number): void {
    const now = this.due.filter((event) => event.atNs <= nowNs);
    this.due = this.due.filter((event) => event.atNs > nowNs);
    for (const event of now) event.act();
  }

  private at(atNs: number, act: () => void): void {
    const later = this.due.findIndex((event) => event.atNs > atNs);
    this.due.splice(later < 0 ? this.due.length : later, 0, { atNs, act });
  }

  private submit(side: Side, request: GoldenRequest, kvRole: KvRole): void {
    const { engine, replayed } = this.engines.get(side)!;
    replayed.requests.set(request.id, {
      arrivalNs: this.nowNs,
      firstScheduledNs: null,
      cachedTokens: -1,
      firstTokenNs: null,
      finishNs: null,
      finishReason: null,
      outputTokens: 0,
      preemptions: 0,
      tokenTimesNs: [],
    });
    engine.submit(
      {
        id: this.numberOf.get(request.id)!,
        promptTokens: request.prompt.reduce((sum, [, length]) => sum + length, 0),
        outputTokens: kvRole === "remote_decode" ? 1 : request.max_tokens,
        content: this.spans[this.scenario.requests.indexOf(request)]!,
        priority: request.priority,
        kvRole,
      },
      this.nowNs,
    );
  }

  private addEngine(side: Side, config: GoldenConfig, time: "fast" | "plain"): void {
    const replayed: ReplayedEngine = {
      steps: [],
      requests: new Map(),
      freeAtEnd: 0,
      preemptions: 0,
      gaps: new Map(),
    };
    const engine = createEngine(
      engineConfig(this.scenario, config),
      GOLDEN_STEP_TIME,
      this.listener(side, replayed),
      time,
      this.observer(replayed, time),
    );
    this.engines.set(side, { engine, replayed, usable: config.num_gpu_blocks - 1 });
  }

  private listener(side: Side, replayed: ReplayedEngine): EngineListener {
    const of = (id: number) => replayed.requests.get(this.names[id]!)!;
    return {
      onScheduled: (id, atMs, cachedTokens) => {
        of(id).firstScheduledNs = atMs;
        of(id).cachedTokens = cachedTokens;
      },
      onKvReadStart: (id, atMs, tokens) => this.startRead(id, atMs, tokens),
      onFirstToken: (id, atMs) => {
        of(id).firstTokenNs = atMs;
      },
      onPreempted: (id) => {
        of(id).preemptions++;
      },
      onFinished: (id, atMs, reason, outputTokens) => {
        of(id).finishNs = atMs;
        of(id).finishReason = reason;
        of(id).outputTokens = outputTokens;
        if (side === "prefill" && reason !== "aborted") {
          const request = this.scenario.requests.find((one) => one.id === this.names[id])!;
          this.at(atMs, () => this.submit("decode", request, "remote_prefill"));
        }
      },
      onTokenGaps: (firstMs, deltaMs, steps, sequences) => {
        for (let i = 0; i < steps; i++) {
          const gap = firstMs + i * deltaMs;
          replayed.gaps.set(gap, (replayed.gaps.get(gap) ?? 0) + sequences);
        }
      },
    };
  }

  private startRead(id: number, atNs: number, tokens: number): void {
    const { base_ns, per_block_ns } = this.scenario.transfer!;
    const blocks = Math.ceil(tokens / this.scenario.config_decode!.block_size);
    const doneNs = blocks === 0 ? atNs : atNs + base_ns + per_block_ns * blocks;
    this.at(doneNs, () => {
      this.engines.get("prefill")!.engine.kvSent(id, doneNs);
      if (blocks > 0) this.engines.get("decode")!.engine.kvArrived(id, doneNs);
    });
  }

  private observer(replayed: ReplayedEngine, time: "fast" | "plain"): EngineObserver {
    const of = (id: number) => replayed.requests.get(this.names[id]!)!;
    const everyToken: EngineObserver = {
      onTokens: (ids, atMs) => {
        for (const id of ids) of(id).tokenTimesNs.push(atMs);
      },
      onDecodeRun: (ids, firstMs, gapMs, deltaMs, steps) => {
        for (const id of ids) {
          let at = firstMs;
          for (let i = 0; i < steps; i++) {
            of(id).tokenTimesNs.push(at);
            at += gapMs + i * deltaMs;
          }
        }
      },
    };
    return time === "fast" ? everyToken : { ...everyToken, onStep: (step) => replayed.steps.push(step) };
  }

  private collect(): Replay {
    const result: Replay = {};
    for (const [side, { engine, replayed, usable }] of this.engines) {
      replayed.freeAtEnd = usable - engine.blocksInUse();
      replayed.preemptions = engine.totals().preemptions;
      result[side] = replayed;
    }
    return result;
  }
}

/** The engines an abort goes to: the one it names, else both. */
function sidesOf(abort: Readonly<Record<string, unknown>>): readonly Side[] {
  const named = Object.entries(abort)
    .filter(([key, value]) => key !== "id" && typeof value === "string")
    .map(([, value]) => (value as string).toLowerCase());
  if (named.some((value) => value.startsWith("p"))) return ["prefill"];
  if (named.some((value) => value.startsWith("d"))) return ["decode"];
  return ["prefill", "decode"];
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.js";
import type { EngineListener, KvListener } from "../../src/engine/types.js";
import { createRouter } from "../../src/routing/router-replicas.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { KvEventFeed, kvEventFeed } from "../../src/simulator/kv-event-feed.js";
import { WholeRequests } from "../../src/simulator/requests.js";
import { RoutingRequests } from "../../src/simulator/routing-requests.js";
import { simulate } from "../../src/simulator/simulator.js";
import type { SignalSetup } from "../../src/simulator/setup.js";
import { blockSpanOf } from "../../src/workload/workload.js";
import { workers } from "../routing/builders.js";
import { ENGINE, fleet, STEP_TIME, workloadOf, type Row } from "./fleet.js";

const BY_EVENTS = { decider: "never", policy: "precise_prefix", speculative_s: 0 };

function signals(options: Partial<SignalSetup>): SignalSetup {
  return { statsIntervalMs: 0, statsDelayMs: 0, kvEventDelayMs: 0, kvEventLoss: 0, ...options };
}

/** A feed over one engine with blocks of 16 tokens, and a router that goes by it. */
function feedOver(rows: readonly Row[], blockTokens: number, options: Partial<SignalSetup> = {}) {
  const workload = workloadOf(rows);
  const blocks = { ...workload.blocks, blockTokens };
  const clock = { nowMs: 0 };
  const feed = new KvEventFeed({ ...workload, blocks }, [16, 16], signals(options), 1, () => clock.nowMs);
  const router = createRouter(resolveRouterConfig(BY_EVENTS).config, workers(0, 2), 1);
  const requests = new RoutingRequests(new WholeRequests({ ...workload, blocks }));
  const held = (row: number, nowMs: number): number[] => {
    feed.deliver(router, nowMs);
    return router.candidates("decode", requests.of(row), nowMs).map(({ cachedTokens }) => cachedTokens ?? 0);
  };
  return { workload: { ...workload, blocks }, clock, feed, held };
}

const SILENT: Omit<EngineListener, "kv"> = {
  onScheduled: () => undefined,
  onKvReadStart: () => undefined,
  onFirstToken: () => undefined,
  onPreempted: () => undefined,
  onFinished: () => undefined,
  onTokenGaps: () => undefined,
};

/** Two rows of 4 blocks of 16 tokens whose first two are the same. */
const TWINS: readonly Row[] = [
  { input: 65, output: 1, blocks: [0, 1, 2, 3] },
  { input: 65, output: 1, blocks: [0, 1, 4, 5] },
];

const tell = (listener: KvListener, stored: readonly number[], removed: readonly number[] = []): void => {
  for (const key of stored) listener.onKvStored(key, 1);
  for (const key of removed) listener.onKvRemoved(key);
};

describe("KV events that take their time", () => {
  it.each([
    [99.9, [0, 0]],
    [100, [64, 0]],
    [500, [64, 0]],
  ])("with 100 ms of delay, at %d ms the router takes the workers to hold %j tokens", (atMs, tokens) => {
    const { feed, held } = feedOver(TWINS, 16, { kvEventDelayMs: 100 });
    tell(feed.listenerOf(0), [0, 1, 2, 3]);
    expect(held(0, atMs)).toEqual(tokens);
  });

  it("tell of a removal as late as of a store", () => {
    const { clock, feed, held } = feedOver(TWINS, 16, { kvEventDelayMs: 100 });
    tell(feed.listenerOf(0), [0, 1, 2, 3]);
    clock.nowMs = 50;
    tell(feed.listenerOf(0), [], [3]);
    expect([held(0, 149), held(0, 150)]).toEqual([
      [64, 0],
      [48, 0],
    ]);
  });

  it("count a block until its last copy on the worker is gone", () => {
    const { feed, held } = feedOver(TWINS, 16);
    tell(feed.listenerOf(0), [0, 1, 0], [0]);
    expect(held(0, 0)).toEqual([32, 0]);
    tell(feed.listenerOf(0), [], [0]);
    expect(held(0, 0)).toEqual([0, 0]);
  });
});

describe("trace blocks and engine blocks of different sizes", () => {
  it("a trace block of 64 tokens is held once its four engine blocks are", () => {
    const { feed, held } = feedOver([{ input: 130, output: 1, blocks: [0, 1] }], 64);
    tell(feed.listenerOf(1), [0, 1, 2]);
    expect(held(0, 0)).toEqual([0, 0]);
    tell(feed.listenerOf(1), [3]);
    expect(held(0, 0)).toEqual([0, 64]);
  });

  it("an engine block of 16 tokens stands for the two trace blocks of 8 in it", () => {
    const { feed, held } = feedOver([{ input: 33, output: 1, blocks: [7, 5, 6, 9] }], 8);
    tell(feed.listenerOf(0), [5, 9]);
    expect(held(0, 0)).toEqual([32, 0]);
  });
});

describe("KV events that are lost", () => {
  it("teach the router nothing when all are", () => {
    const { feed, held } = feedOver(TWINS, 16, { kvEventLoss: 1 });
    tell(feed.listenerOf(0), [0, 1, 2, 3]);
    expect(held(0, 1e9)).toEqual([0, 0]);
  });

  it("are lost by message: all that an engine says at one instant, and about the share asked for", () => {
    const rows = Array.from({ length: 1000 }, (_, i) => ({
      input: 33,
      output: 1,
      blocks: [2 * i, 2 * i + 1],
    }));
    const { clock, feed, held } = feedOver(rows, 16, { kvEventLoss: 0.3 });
    for (let i = 0; i < rows.length; i++) {
      clock.nowMs = i;
      tell(feed.listenerOf(0), [2 * i, 2 * i + 1]);
    }
    const seen = rows.map((_, row) => held(row, 1e9)[0]!);
    expect(new Set(seen)).toEqual(new Set([0, 32]));
    const lost = seen.filter((tokens) => tokens === 0).length;
    // Four standard deviations of a binomial around 300.
    expect(Math.abs(lost - 300)).toBeLessThan(58);
  });
});

it("without delay and loss the router knows what the engine's cache would give, at any time", () => {
  const row = fc.record({
    family: fc.nat(3),
    shared: fc.nat(6),
    own: fc.integer({ min: 1, max: 6 }),
    output: fc.integer({ min: 1, max: 20 }),
    gapMs: fc.nat(40),
  });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 25 }), (drawn) => {
      let atMs = 0;
      const rows = drawn.map(({ family, shared, own, output, gapMs }, i): Row => {
        const blocks = [
          ...Array.from({ length: shared }, (_, j) => 10 * family + j),
          ...Array.from({ length: own }, (_, j) => 100 + 10 * i + j),
        ];
        // One token more, since the last one is always computed.
        return { arrivalMs: (atMs += gapMs), input: 16 * blocks.length + 1, output, blocks };
      });
      const { workload, clock, feed, held } = feedOver(rows, 16);
      const listener = { ...SILENT, kv: feed.listenerOf(0) };
      // 24 blocks: most requests evict what others left.
      const engine = createEngine({ ...ENGINE, numGpuBlocks: 25 }, STEP_TIME, listener, "fast");
      const legOf = (id: number) => ({
        id,
        promptTokens: rows[id]!.input,
        outputTokens: rows[id]!.output,
        content: blockSpanOf(workload, id),
        priority: 0,
        kvRole: "local" as const,
      });
      const compare = () =>
        rows.forEach((_, id) => expect(held(id, clock.nowMs)[0]).toBe(engine.cachedTokens(legOf(id))));
      rows.forEach(({ arrivalMs }, id) => {
        while (engine.nextEventMs() <= arrivalMs!) engine.advance((clock.nowMs = engine.nextEventMs()));
        clock.nowMs = arrivalMs!;
        engine.submit(legOf(id), arrivalMs!);
        compare();
      });
      while (engine.nextEventMs() < Infinity) engine.advance((clock.nowMs = engine.nextEventMs()));
      compare();
    }),
    { numRuns: 60 },
  );
});

describe("a run by KV events", () => {
  const rows = Array.from({ length: 60 }, (_, i): Row => ({
    arrivalMs: 40 * i,
    input: 161,
    output: 5,
    blocks: Array.from({ length: 10 }, (_, j) => (j < 6 ? 10 * (i % 3) + j : 100 + 10 * i + j)),
  }));
  const hitTokens = (signal: Partial<SignalSetup>): number => {
    const setup = fleet(workloadOf(rows), { prefill: 0, decode: 3, router: BY_EVENTS, signals: signal });
    return simulate(setup).records.cachedTokens.reduce((sum, tokens) => sum + tokens, 0);
  };

  it("finds fewer prefixes the later its events are, and none of them is needed to be exact", () => {
    const setup = fleet(workloadOf(rows), { router: BY_EVENTS });
    expect(kvEventFeed(setup, () => 0)).toBeNull();
    expect(hitTokens({ kvEventDelayMs: 1 })).toBe(hitTokens({}));
    expect(hitTokens({ kvEventDelayMs: 1e6 })).toBeLessThan(hitTokens({}));
  });

  it("is the same every time for the same seed", () => {
    const lossy = { kvEventDelayMs: 20, kvEventLoss: 0.5 };
    expect(hitTokens(lossy)).toBe(hitTokens(lossy));
    expect(hitTokens({ kvEventLoss: 1 })).toBeLessThan(hitTokens({}));
  });

  it("keeps no book of blocks for policies that do not go by events", () => {
    const setup = fleet(workloadOf(rows), {
      router: { policy: "round_robin" },
      signals: { kvEventDelayMs: 9 },
    });
    expect(kvEventFeed(setup, () => 0)).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/types.js";
import { StatsFeed } from "../../src/simulator/stats-feed.js";
import { request, routerOf } from "../routing/builders.js";

/** An engine that had as many requests running as milliseconds have passed. */
function countingEngine(): Engine & { readonly asked: number[] } {
  const asked: number[] = [];
  const gauges = (atMs: number) => {
    asked.push(atMs);
    return { running: atMs, waiting: 0, kvUsage: 0 };
  };
  return { asked, gauges } as unknown as Engine & { asked: number[] };
}

function feedOf(statsIntervalMs: number, statsDelayMs: number, policy = "least_loaded") {
  const router = routerOf({ decider: "never", policy }, { prefill: 0, decode: 1 });
  const engine = countingEngine();
  const signals = { statsIntervalMs, statsDelayMs, kvEventDelayMs: 0, kvEventLoss: 0 };
  const feed = new StatsFeed(router, [engine], signals);
  /** When the engine had what the router knows at `nowMs`; null = it knows nothing. */
  const knownAt = (nowMs: number) => {
    // As the simulator does: only when there is something to do.
    if (feed.nextMs <= nowMs) feed.pollUntil(nowMs);
    const { stats } = router.candidates("decode", request(0), nowMs)[0]!;
    if (stats !== null) expect(stats.running).toBe(stats.atMs);
    return stats?.atMs ?? null;
  };
  return { feed, engine, router, knownAt };
}

describe("engine statistics", () => {
  it.each([
    // Polls at 0, 100, 200, ... that take 5 ms.
    [100, 5, [0, 4.9, 5, 104.9, 105, 1000, 1005], [null, null, 0, 0, 100, 900, 1000]],
    // At once.
    [100, 0, [0, 99.9, 100, 250], [0, 0, 100, 200]],
    // Later than the next two polls, so that three are on their way.
    [100, 250, [249, 250, 349.9, 350, 1000], [null, 0, 0, 100, 700]],
    [30_000, 0, [0, 29_999, 30_000], [0, 0, 30_000]],
  ])(
    "polled every %f ms and %f ms late: at %j the router knows them as of %j",
    (interval, delay, times, known) => {
      const { knownAt } = feedOf(interval, delay);
      expect(times.map(knownAt)).toEqual(known);
    },
  );

  it("are read at each decision with an interval of 0, and never polled", () => {
    const { feed, engine, router, knownAt } = feedOf(0, 0);
    expect(knownAt(500)).toBeNull();
    feed.readAtDecision(501);
    expect(router.candidates("decode", request(0), 501)[0]!.stats).toMatchObject({ running: 501, atMs: 501 });
    expect(engine.asked).toEqual([501]);
  });

  it("are not read at decisions while they are polled", () => {
    const { feed, engine } = feedOf(100, 0);
    feed.readAtDecision(50);
    expect(engine.asked).toEqual([]);
  });

  it("are asked of nobody for a router that does not go by them", () => {
    const { feed, engine, knownAt } = feedOf(100, 0, "in_flight");
    expect(knownAt(1000)).toBeNull();
    feed.readAtDecision(1000);
    expect(engine.asked).toEqual([]);
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { POLICIES } from "../../src/routing/registry.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { Router } from "../../src/routing/router.js";
import type { RoutingRequest, WorkerSpec } from "../../src/routing/types.js";

const FLEET: readonly WorkerSpec[] = [
  ...["p0", "p1"].map((id) => ({ id, leg: "prefill" as const })),
  ...["d0", "d1", "d2"].map((id) => ({ id, leg: "decode" as const })),
];
const config = (block: Record<string, unknown>) => resolveRouterConfig(block).config;
const request = (id: number, symbol = id): RoutingRequest => ({
  id,
  promptTokens: 8,
  prefix: {
    symbols: Int32Array.from({ length: 8 }, (_, i) => symbol * 8 + i),
    length: 8,
    unitsPerSymbol: 1,
    totalUnits: 8,
  },
  sessionKey: `s${id % 3}`,
  model: "m",
  priority: 0,
});

describe("a router that goes by other settings", () => {
  it("keeps its book: whatever changes while requests are open, every leg ends once and nothing is left", () => {
    const names = POLICIES.map(({ name }) => name);
    const deciders = ["always", "never", "threshold", "uncached_tokens"];
    const change = fc.record({
      policy: fc.constantFrom(...names),
      decider: fc.constantFrom(...deciders),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 2, maxLength: 4 }), fc.nat(1000), (changes, seed) => {
        const router = new Router(config(changes[0]!), FLEET, seed);
        const open: number[] = [];
        changes.forEach((settings, round) => {
          if (round > 0) router.reconfigure(config(settings));
          for (let i = 0; i < 6; i++) {
            const id = round * 6 + i;
            if (router.route(request(id, i), round * 10).path !== "rejected") open.push(id);
          }
          const booked = FLEET.reduce((sum, _, index) => sum + router.bookedLegs(index), 0);
          expect(booked).toBeGreaterThanOrEqual(open.length);
          for (const id of open.splice(0, 3)) {
            router.onFirstToken(id, round * 10 + 1);
            router.onRequestEnd(id, "completed", round * 10 + 2);
          }
        });
        for (const id of open) router.onRequestEnd(id, "cancelled", 99);
        expect(router.isIdle()).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("keeps what a policy remembers whose parameters stay", () => {
    const router = new Router(config({ decider: "never", policy: "cache_aware" }), FLEET, 1);
    const first = router.route(request(1, 5), 0).decode!.worker;
    router.onRequestEnd(1, "completed", 1);
    router.reconfigure(config({ decider: "never", prefill_policy: "random", decode_policy: "cache_aware" }));
    const again = router.route(request(2, 5), 2).decode!;
    expect([again.worker, again.branch]).toEqual([first, "cache_hit"]);
    router.onRequestEnd(2, "completed", 3);
    router.reconfigure(config({ decider: "never", policy: "cache_aware", cache_threshold: 0.9 }));
    expect(router.route(request(3, 5), 4).decode!.branch).not.toBe("cache_hit");
  });

  it("sees the load of requests that were open before", () => {
    const router = new Router(config({ decider: "never", policy: "round_robin" }), FLEET, 1);
    const busy = router.route(request(1), 0).decode!.worker;
    router.reconfigure(config({ decider: "never", policy: "in_flight" }));
    for (let id = 2; id < 4; id++) expect(router.route(request(id), 1).decode!.worker).not.toBe(busy);
    expect(router.load.open(busy)).toBe(1);
  });

  it.each([
    ["order", { order: "late_decode" }],
    ["index_update", { index_update: "prefill_end" }],
    ["load_accounting", { load_accounting: { decode_release: "headers" } }],
  ])("refuses another %s", (name, block) => {
    const router = new Router(config({}), FLEET, 1);
    expect(() => router.reconfigure(config(block))).toThrow(`router.${name} cannot change`);
  });
});

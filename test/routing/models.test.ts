import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { Router } from "../../src/routing/router.js";
import type { RoutingRequest, WorkerSpec } from "../../src/routing/types.js";
import { complete, request } from "./builders.js";

/** Two prefill and two decode workers of each model: 0..3 serve `a`, 4..7 serve `b`. */
const FLEET: readonly WorkerSpec[] = ["a", "b"].flatMap((model) =>
  (["prefill", "decode"] as const).flatMap((leg) =>
    [0, 1].map((i) => ({ id: `${model}-${leg}-${i}`, leg, model })),
  ),
);

const routerOf = (settings: Record<string, unknown>, fleet = FLEET) =>
  new Router(resolveRouterConfig({ ties: "first", ...settings }).config, fleet, 1, 16);

const of = (model: string, id: number, symbols: readonly number[] = []): RoutingRequest => ({
  ...request(id, { symbols }),
  model,
});

describe("a fleet whose workers name their models", () => {
  it.each([
    { decider: "always", order: "prefill_first" },
    { decider: "always", order: "late_decode" },
    { decider: "always", policy: "aibrix_pd", order: "joint" },
    { decider: "never", policy: "cache_aware" },
    { decider: { kind: "uncached_tokens", routing_threshold: 1024 }, policy: "random" },
    { decider: "always", policy: "consistent_hash" },
  ])("sends both legs, and retries, to workers of the request's model: %j", (settings) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 0, max: 3 })), { maxLength: 40 }),
        (requests) => {
          const router = routerOf(settings);
          const serves = (worker: number | undefined, model: string) =>
            worker === undefined || FLEET[worker]!.model === model;
          requests.forEach(([model, symbol], id) => {
            const asked = of(model, id, [symbol, symbol + 1]);
            const { prefill, decode } = router.route(asked, id);
            const late = decode ?? router.routeDecode(id, id);
            const other = router.rerouteLeg(asked, "decode", "retryable", id, [late!.worker]);
            for (const leg of [prefill, late, other]) expect(serves(leg?.worker, model)).toBe(true);
            if (id % 2 === 0) complete(router, id);
          });
          requests.forEach((_, id) => id % 2 === 1 && complete(router, id));
          expect(router.isIdle()).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("takes turns, and remembers prefixes, for each model by itself", () => {
    const turns = routerOf({ decider: "never", policy: "round_robin" });
    const decode = ["a", "b", "a", "b", "a"].map((model, id) => turns.route(of(model, id), 0).decode!.worker);
    expect(decode).toEqual([2, 6, 3, 7, 2]);
    const cached = routerOf({ decider: "never", policy: "cache_aware" });
    const branches = ["a", "b", "a", "b"].map(
      (model, id) => cached.route(of(model, id, [1, 2]), 0).decode!.branch,
    );
    expect(branches).toEqual(["min_load", "min_load", "cache_hit", "cache_hit"]);
    expect(cached.branchCounts()).toMatchObject({ "decode.min_load": 2, "decode.cache_hit": 2 });
  });

  it("rejects a model that no worker has served, and one whose workers are down", () => {
    const router = routerOf({});
    expect(router.route(of("c", 1), 0)).toMatchObject({ path: "rejected", branch: "unknown_model" });
    for (const worker of [6, 7]) router.setHealthy(worker, false, 0);
    expect(router.route(of("b", 2), 0)).toMatchObject({ path: "rejected", branch: "no_decode_worker" });
    expect(router.route(of("a", 3), 0).path).toBe("disaggregated");
    expect(router.candidates("decode", of("c", 4), 0)).toEqual([]);
  });

  it("goes without prefill workers for the model that has none, and for no other", () => {
    const router = routerOf({ decider: "always" });
    for (const worker of [4, 5]) router.removeWorker(worker);
    expect(router.route(of("b", 1), 0)).toMatchObject({ path: "decode_only", branch: "no_prefill_worker" });
    expect(router.route(of("a", 2), 0).path).toBe("disaggregated");
  });

  it("takes in workers of a model, known or new, and keeps what their model has learned when settings change", () => {
    const router = routerOf({ decider: "never", policy: "cache_aware" });
    expect(router.route(of("c", 1), 0).branch).toBe("unknown_model");
    const index = router.addWorker({ id: "c-0", leg: "decode", model: "c" });
    expect(router.route(of("c", 2, [7]), 0).decode).toMatchObject({ worker: index, branch: "min_load" });
    router.reconfigure(
      resolveRouterConfig({ decider: "always", policy: "cache_aware", ties: "first" }).config,
    );
    expect(router.route(of("c", 3, [7]), 0)).toMatchObject({
      branch: "no_prefill_worker",
      decode: { worker: index, branch: "cache_hit" },
    });
    const another = router.addWorker({ id: "a-decode-2", leg: "decode", model: "a" });
    for (const worker of [2, 3]) router.removeWorker(worker);
    expect(router.route(of("a", 4), 0).decode!.worker).toBe(another);
    router.removeWorker(index);
    expect(router.route(of("c", 5), 0).branch).toBe("no_decode_worker");
    for (const id of [2, 3, 4]) complete(router, id);
    expect(router.isIdle()).toBe(true);
  });

  it("names a model on every worker or on none", () => {
    expect(() => routerOf({}).addWorker({ id: "x", leg: "decode" })).toThrow(
      "worker x names no model, expected one, as a-prefill-0 does",
    );
    const plain = routerOf({}, [{ id: "d", leg: "decode" }]);
    expect(() => plain.addWorker({ id: "x", leg: "decode", model: "a" })).toThrow(
      "worker x names model a, expected none, as d does",
    );
  });

  it("decides for each model as a fleet of that model alone would", () => {
    const alone = routerOf({ decider: "always", policy: "cache_aware" }, FLEET.slice(0, 4));
    const both = routerOf({ decider: "always", policy: "cache_aware" });
    for (let id = 0; id < 40; id++) {
      const asked = of("a", 2 * id, [id % 5, id % 3]);
      both.route(of("b", 2 * id + 1, [id % 7]), id);
      expect(both.route(asked, id)).toEqual(alone.route(asked, id));
    }
  });
});

import { describe, expect, it } from "vitest";
import type { Router } from "../../../src/routing/router.js";
import { complete, request, routerOf } from "../builders.js";

const routerWith = (settings: Record<string, unknown> = {}, decode = 3) =>
  routerOf({ decider: "never", policy: "cache_aware", ties: "first", ...settings }, { prefill: 0, decode });

let nextId = 0;
const send = (router: Router, symbols: readonly number[], promptTokens?: number) => {
  const options = promptTokens === undefined ? { symbols } : { symbols, promptTokens };
  return router.route(request(nextId++, options), 0).decode!;
};
/** Routes a prompt and lets it end, so that it is remembered but is no load. */
const remember = (router: Router, symbols: readonly number[]) => {
  const { worker } = send(router, symbols);
  complete(router, nextId - 1);
  return worker;
};

describe("cache_aware", () => {
  it("sends a prompt to the worker that holds it", () => {
    const router = routerWith();
    send(router, [9]);
    const { worker } = send(router, [1, 2, 3]);
    expect(worker).toBe(1);
    expect(send(router, [1, 2, 3])).toMatchObject({
      worker: 1,
      branch: "cache_hit",
      figures: { match_rate: 1, held_units: 1536, total_units: 1536, min_load: 0, holder_load: 1 },
    });
  });

  it.each([
    [0.5, "min_load"],
    [0.49, "cache_hit"],
  ])("a match of exactly half the prompt against a threshold of %f goes by %s", (cache_threshold, branch) => {
    const router = routerWith({ cache_threshold });
    remember(router, [1, 2]);
    expect(send(router, [1, 2, 3, 4]).branch).toBe(branch);
  });

  it("measures the match in tokens, the last symbol standing for fewer", () => {
    const router = routerWith();
    remember(router, [1, 2]);
    expect(send(router, [1, 2, 3], 1100).figures).toMatchObject({ held_units: 1024, total_units: 1100 });
    expect(send(router, [1], 300).figures).toMatchObject({ held_units: 300, match_rate: 1 });
  });

  it("counts a match in whole multiples of match_granularity", () => {
    const router = routerWith({ match_granularity: 1000 });
    remember(router, [1, 2, 3]);
    expect(send(router, [1, 2, 3]).figures).toMatchObject({ held_units: 1000, total_units: 1536 });
    expect(send(router, [1]).figures).toMatchObject({ held_units: 0 });
  });

  it("an empty prompt matches nothing", () => {
    const router = routerWith({ cache_threshold: 0 });
    send(router, []);
    expect(send(router, [])).toMatchObject({ branch: "min_load", figures: { match_rate: 0 } });
  });

  /** Worker 0 holds the prompt and has `high` requests open, the others have `low`. */
  const loaded = (settings: Record<string, unknown>, high: number, low: number) => {
    const router = routerWith({ balance_abs_threshold: 4, balance_rel_threshold: 2, ...settings }, 2);
    expect(remember(router, [1])).toBe(0);
    for (let i = 0; i < low; i++) {
      send(router, [100 + 2 * i]);
      send(router, [101 + 2 * i]);
    }
    for (let i = low; i < high; i++) router.route(request(nextId++, { symbols: [1] }), 0);
    return router;
  };

  it.each([
    ["fixed", 4, 0, "cache_hit"],
    ["fixed", 5, 0, "balance"],
    ["compat", 4, 0, "cache_hit"],
    ["compat", 5, 0, "balance"],
  ])(
    "%s: a holder with %i open against %i goes by %s (absolute threshold 4, strict)",
    (form, high, low, branch) => {
      expect(send(loaded({ form }, high, low), [1]).branch).toBe(branch);
    },
  );

  it.each([
    ["fixed", 10, 5, "cache_hit"],
    ["fixed", 11, 5, "balance"],
    ["compat", 10, 5, "cache_hit"],
    ["compat", 11, 5, "balance"],
  ])(
    "%s: a holder with %i open against %i goes by %s (relative threshold 2, strict)",
    (form, high, low, branch) => {
      expect(send(loaded({ form }, high, low), [1]).branch).toBe(branch);
    },
  );

  it.each([
    ["fixed", 7, 3, "cache_hit"],
    ["fixed", 8, 3, "balance"],
    ["compat", 7, 3, "cache_hit"],
    ["compat", 8, 3, "balance"],
  ])("%s: compares the difference of %i and %i, not their sum, with 4 (%s)", (form, high, low, branch) => {
    expect(send(loaded({ form, balance_rel_threshold: 1 }, high, low), [1]).branch).toBe(branch);
  });

  it("compat: an idle fleet is balanced at thresholds of 0 and 1", () => {
    const router = routerWith({ form: "compat", balance_abs_threshold: 0, balance_rel_threshold: 1 });
    expect(send(router, [1]).branch).toBe("min_load");
    expect(send(router, [1])).toMatchObject({ branch: "balance", figures: { max_load: 1, min_load: 0 } });
  });

  it.each([
    ["forget", 2, "min_load"],
    ["keep", 0, "cache_hit"],
  ])(
    "with stale_owner %s, a worker whose cache is gone loses its prefixes or not",
    (stale_owner, worker, branch) => {
      const router = routerWith({ form: "compat", stale_owner, ties: "rotating" });
      expect(remember(router, [1])).toBe(0);
      expect(remember(router, [2])).toBe(1);
      router.forgetWorker(0);
      expect(send(router, [1])).toMatchObject({ worker, branch });
    },
  );

  it("ties fewest_routed: what goes to the first healthy worker for want of its owner is not counted (SMG)", () => {
    const router = routerWith({ form: "compat", ties: "fewest_routed", stale_owner: "keep" });
    expect(remember(router, [1])).toBe(0);
    router.setHealthy(0, false, 0);
    for (let i = 0; i < 3; i++) expect(remember(router, [1])).toBe(1);
    // Worker 1 counts none of these three, so it comes before worker 2, and worker 0 last.
    router.setHealthy(0, true, 0);
    expect([10, 11, 12].map((symbol) => remember(router, [symbol]))).toEqual([1, 2, 0]);
  });

  it("fixed: one overloaded worker does not take the cache from requests that others hold", () => {
    const router = routerWith({ balance_abs_threshold: 4 });
    remember(router, [1]);
    for (let i = 0; i < 5; i++) send(router, [1]);
    expect(send(router, [2, 2]).worker).toBe(1);
    expect(send(router, [2, 2]).branch).toBe("cache_hit");
  });

  it("compat: one overloaded worker switches every request to the least loaded", () => {
    const router = routerWith({ balance_abs_threshold: 4, form: "compat" });
    remember(router, [1]);
    for (let i = 0; i < 5; i++) send(router, [1]);
    expect(send(router, [2, 2])).toMatchObject({ worker: 1, branch: "balance" });
    expect(send(router, [2, 2])).toMatchObject({ worker: 2, branch: "balance" });
  });

  it("fixed: picks the least loaded of several holders; compat: the first to have stored the prompt", () => {
    for (const [form, worker] of [
      ["fixed", 1],
      ["compat", 0],
    ] as const) {
      const router = routerWith({ form, balance_abs_threshold: 1 }, 2);
      // Two open requests on worker 0 unbalance the fleet, so that worker 1 comes to hold the prompt too.
      for (let i = 0; i < 3; i++) send(router, [1]);
      const ids = [nextId - 3, nextId - 2, nextId - 1];
      complete(router, ids[1]!);
      complete(router, ids[2]!);
      expect(send(router, [1])).toMatchObject({ worker, branch: "cache_hit" });
    }
  });

  it("fixed: with all holders down, the least loaded worker takes over and the holders are not forgotten", () => {
    const router = routerWith();
    expect(remember(router, [1, 2])).toBe(0);
    router.setHealthy(0, false, 0);
    expect(send(router, [1, 2])).toMatchObject({ worker: 1, branch: "min_load", figures: { match_rate: 0 } });
    complete(router, nextId - 1);
    router.setHealthy(0, true, 0);
    expect(send(router, [1, 2])).toMatchObject({ worker: 0, branch: "cache_hit" });
  });

  it("fixed: with the holder of most of it down, the worker that holds most of the rest takes over", () => {
    const router = routerWith({ balance_abs_threshold: 0 });
    expect(remember(router, [1, 2, 3, 4])).toBe(0);
    send(router, [1]);
    send(router, [1]);
    expect(send(router, [1, 2, 7])).toMatchObject({ worker: 2, branch: "balance" });
    router.setHealthy(0, false, 0);
    expect(send(router, [1, 2, 3, 4])).toMatchObject({
      branch: "cache_hit",
      worker: 2,
      figures: { match_rate: 0.5 },
    });
  });

  it.each([
    ["fleet", "balance"],
    ["healthy", "cache_hit"],
  ])(
    "the gate %s takes load of a worker that is down for %s (vllm-router issue #254)",
    (balance_gate, branch) => {
      const router = routerWith({ form: "compat", balance_abs_threshold: 4, balance_gate });
      for (let i = 0; i < 5; i++) send(router, [1]);
      router.setHealthy(0, false, 0);
      // The first healthy worker takes it, and the second request finds it there, unless the gate is shut.
      if (balance_gate === "healthy") expect(send(router, [1]).branch).toBe("first_healthy");
      send(router, [1]);
      expect(send(router, [1]).branch).toBe(branch);
    },
  );

  it.each([1, 3, 8])("compat: looking at candidates %i times is no use of what they hold", (looks) => {
    const decide = (looksEach: number) => {
      const router = routerWith(
        { form: "compat", max_tree_size: 2048, eviction_interval_s: 1, ties: "rotating" },
        2,
      );
      return Array.from({ length: 60 }, (_, i) => {
        const asked = request(1_000_000 + i, { symbols: [i % 7, (i * 5) % 11] });
        for (let look = 0; look < looksEach; look++) router.candidates("decode", asked, i * 300);
        const { worker, branch } = router.route(asked, i * 300).decode!;
        complete(router, asked.id, i * 300);
        return [worker, branch];
      });
    };
    expect(decide(looks)).toEqual(decide(0));
  });

  it("compat: checks the tree's size at intervals, before it is looked at", () => {
    const router = routerWith({ form: "compat", max_tree_size: 512, eviction_interval_s: 10 }, 1);
    const at = (nowMs: number) => {
      const { branch } = router.route(request(nextId++, { symbols: [1, 2] }), nowMs).decode!;
      complete(router, nextId - 1, nowMs);
      return branch;
    };
    expect([at(0), at(9999), at(10_000), at(10_001)]).toEqual([
      "min_load",
      "cache_hit",
      "min_load",
      "cache_hit",
    ]);
  });

  it("compat: with the owner down, the first healthy worker gets it, and everything the owner held is forgotten", () => {
    const router = routerWith({ form: "compat" });
    expect(remember(router, [1, 2])).toBe(0);
    expect(remember(router, [5, 6])).toBe(0);
    router.setHealthy(0, false, 0);
    send(router, [8]);
    expect(send(router, [1, 2])).toMatchObject({ worker: 1, branch: "first_healthy" });
    expect(send(router, [1, 2])).toMatchObject({ worker: 2, branch: "min_load" });
    router.setHealthy(0, true, 0);
    expect(send(router, [5, 6]).branch).toBe("min_load");
  });

  it("forgets a worker whose cache is gone", () => {
    const router = routerWith();
    remember(router, [1, 2]);
    router.forgetWorker(0);
    expect(send(router, [1, 2]).branch).toBe("min_load");
  });

  it("remembers no more than max_tree_size tokens for each worker", () => {
    const router = routerWith({ max_tree_size: 1024 }, 1);
    remember(router, [1, 2]);
    remember(router, [3]);
    expect(send(router, [1, 2]).branch).toBe("min_load");
  });

  it("spreads cold prompts at low load, where compat sends all to the first worker", () => {
    const workersOf = (settings: Record<string, unknown>) => {
      const router = routerWith(settings, 4);
      return new Set(Array.from({ length: 40 }, (_, i) => remember(router, [1000 + i]))).size;
    };
    expect(workersOf({ ties: "random" })).toBe(4);
    expect(workersOf({ ties: "rotating" })).toBe(4);
    expect(workersOf({ ties: null, form: "compat" })).toBe(1);
  });
});

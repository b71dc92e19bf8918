import { describe, expect, it } from "vitest";
import { LedgerError } from "../../src/routing/ledger.js";
import { POLICIES } from "../../src/routing/registry.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { Router } from "../../src/routing/router.js";
import type { WorkerSpec } from "../../src/routing/types.js";
import { complete, request, routerOf } from "./builders.js";

describe("Router", () => {
  it("opens both legs of a disaggregated request and closes each once", () => {
    const router = routerOf({ policy: "round_robin" }, { prefill: 1, decode: 1 });
    router.route(request(7, { promptTokens: 100 }), 0);
    expect([router.load.open(0), router.load.open(1)]).toEqual([1, 1]);
    expect([router.load.openTokens(0), router.load.prefillTokens(0), router.load.prefillTokens(1)]).toEqual([
      100, 100, 0,
    ]);
    router.onPrefillEnd(7, 5);
    expect(router.load.prefillTokens(0)).toBe(0);
    router.onLegEnd(7, "prefill", "completed", 5);
    expect([router.load.open(0), router.load.open(1)]).toEqual([0, 1]);
    router.onFirstToken(7, 6);
    router.onLegEnd(7, "decode", "completed", 9);
    expect(router.isIdle()).toBe(true);
    expect(router.isOpen(7)).toBe(false);
  });

  it("opens no prefill leg for a decode-only request, whose decode worker prefills until its first token", () => {
    const router = routerOf({ decider: "never" }, { prefill: 1, decode: 1 });
    router.route(request(1, { promptTokens: 100 }), 0);
    expect([router.load.open(0), router.load.open(1), router.load.prefillTokens(1)]).toEqual([0, 1, 100]);
    router.onFirstToken(1, 3);
    expect(router.load.prefillTokens(1)).toBe(0);
    complete(router, 1);
    expect(router.isIdle()).toBe(true);
  });

  it.each([
    [
      "ends a leg twice",
      (r: Router) => {
        r.onLegEnd(1, "prefill", "completed", 0);
        r.onLegEnd(1, "prefill", "cancelled", 0);
      },
    ],
    [
      "ends a request twice",
      (r: Router) => {
        r.onRequestEnd(1, "completed", 0);
        r.onRequestEnd(1, "completed", 0);
      },
    ],
    ["routes an open request again", (r: Router) => r.route(request(1), 0)],
    ["speaks of a request it never routed", (r: Router) => r.onFirstToken(2, 0)],
    ["chooses a decode worker twice", (r: Router) => r.routeDecode(1, 0)],
  ])("refuses a driver that %s", (_what, misuse) => {
    const router = routerOf({ order: "late_decode", policy: "round_robin" });
    router.route(request(1), 0);
    router.routeDecode(1, 0);
    expect(() => misuse(router)).toThrow(LedgerError);
  });

  it("chooses the decode worker late, from the load at the end of the prefill", () => {
    const router = routerOf({ order: "late_decode", policy: "in_flight", ties: "first" });
    expect(router.route(request(1), 0)).toMatchObject({ path: "disaggregated", decode: null });
    router.route(request(2), 0);
    expect(router.routeDecode(2, 1)).toMatchObject({ worker: 2 });
    router.onLegEnd(1, "prefill", "completed", 2);
    expect(router.isOpen(1)).toBe(true);
    expect(router.routeDecode(1, 2)).toMatchObject({ worker: 3 });
    complete(router, 1);
    complete(router, 2);
    expect(router.isIdle()).toBe(true);
  });

  it("keeps its own copy of a request that it needs later", () => {
    const router = routerOf({ order: "late_decode", policy: "cache_aware", ties: "first" });
    const symbols = [1, 2, 3];
    router.route(request(1, { symbols }), 0);
    router.routeDecode(1, 0);
    const reused = request(2, { symbols });
    router.route(reused, 0);
    reused.prefix.symbols.fill(9);
    expect(router.routeDecode(2, 0)).toMatchObject({ worker: 2, branch: "cache_hit" });
  });

  it("forgets a request that ends before its decode worker was chosen", () => {
    const router = routerOf({ order: "late_decode" });
    router.route(request(1), 0);
    router.onLegEnd(1, "prefill", "failed", 1);
    router.onRequestEnd(1, "failed", 1);
    expect(router.isIdle()).toBe(true);
  });

  it("routes only to healthy workers, and rejects when no decode worker is left", () => {
    const router = routerOf({ policy: "round_robin" });
    router.setHealthy(3, false, 0);
    for (let id = 0; id < 4; id++) expect(router.route(request(id), 0).decode?.worker).toBe(2);
    router.setHealthy(2, false, 0);
    expect(router.route(request(9), 0)).toMatchObject({
      path: "rejected",
      branch: "no_decode_worker",
      prefill: null,
      decode: null,
    });
    expect(router.isOpen(9)).toBe(false);
    router.setHealthy(3, true, 0);
    expect(router.route(request(9), 0).decode?.worker).toBe(3);
  });

  it.each([
    ["decode_only", "decode_only"],
    ["reject", "rejected"],
  ])("without a prefill worker and with %s, a request is %s", (setting, path) => {
    const router = routerOf({ without_prefill_worker: setting }, { prefill: 0, decode: 1 });
    expect(router.route(request(1), 0)).toMatchObject({ path, branch: "no_prefill_worker", prefill: null });
  });

  it("moves a failed leg to another worker without losing count", () => {
    const router = routerOf({ policy: "in_flight", ties: "first" }, { prefill: 2, decode: 1 });
    const one = request(1);
    expect(router.route(one, 0).prefill?.worker).toBe(0);
    expect(router.rerouteLeg(one, "prefill", "retryable", 1, [0])?.worker).toBe(1);
    expect([router.load.open(0), router.load.open(1)]).toEqual([0, 1]);
    expect(router.rerouteLeg(one, "prefill", "retryable", 2, [0, 1])).toBeNull();
    complete(router, 1);
    expect(router.isIdle()).toBe(true);
  });

  it("keeps a request whose leg has failed in the book until another worker is found, or nobody", () => {
    const router = routerOf({ policy: "in_flight", ties: "first" }, { prefill: 2, decode: 2 });
    const one = request(1);
    router.route(one, 0);
    router.onLegEnd(1, "prefill", "completed", 1);
    router.onLegFailed(1, "decode", "retryable", 2);
    expect([0, 1, 2, 3].map((worker) => router.load.open(worker))).toEqual([0, 0, 0, 0]);
    expect(router.isOpen(1)).toBe(true);
    expect(router.rerouteLeg(one, "prefill", "retryable", 3, [0])?.worker).toBe(1);
    expect(router.rerouteLeg(one, "decode", "retryable", 3, [2])?.worker).toBe(3);
    expect([0, 1, 2, 3].map((worker) => router.load.open(worker))).toEqual([0, 1, 0, 1]);
    complete(router, 1);
    expect(router.isIdle()).toBe(true);
    router.route(request(2), 4);
    router.onLegFailed(2, "prefill", "retryable", 5);
    router.onRequestEnd(2, "cancelled", 6);
    expect(router.isIdle()).toBe(true);
    router.route(request(3), 7);
    router.onLegEnd(3, "prefill", "completed", 8);
    router.onLegFailed(3, "decode", "retryable", 9);
    expect(router.rerouteLeg(request(3), "decode", "retryable", 10, [2, 3])).toBeNull();
    expect(router.isIdle()).toBe(true);
  });

  it("counts decisions by branch", () => {
    const router = routerOf({ policy: "random", decider: { routing_threshold: 10 } });
    router.route(request(1, { promptTokens: 10 }), 0);
    router.route(request(2, { promptTokens: 9 }), 0);
    expect(router.branchCounts()).toEqual({
      "decider.at_or_above_threshold": 1,
      "decider.below_threshold": 1,
      "prefill.random": 1,
      "decode.random": 2,
    });
  });

  it("says whether it needs engine statistics", () => {
    expect(routerOf({ policy: "round_robin" }).usesStats()).toBe(false);
    expect(routerOf({ decode_policy: "least_loaded" }).usesStats()).toBe(true);
    expect(routerOf({ policy: "power_of_two" }).usesStats()).toBe(false);
    expect(routerOf({ policy: "power_of_two", load_signal: "engine_stats" }).usesStats()).toBe(true);
  });

  describe("index_update", () => {
    const twice = (settings: Record<string, unknown>, between: (router: Router) => void) => {
      const router = routerOf({ decider: "never", policy: "cache_aware", ties: "first", ...settings });
      router.route(request(1, { symbols: [1, 2, 3] }), 0);
      between(router);
      return router.route(request(2, { symbols: [1, 2, 3] }), 1).decode?.branch;
    };

    it("routing: a twin that arrives before the prefill has ended is sent to the same worker", () => {
      expect(twice({}, () => undefined)).toBe("cache_hit");
    });

    it("prefill_end: the prefix counts from the end of the prefill on", () => {
      expect(twice({ index_update: "prefill_end" }, () => undefined)).toBe("min_load");
      expect(twice({ index_update: "prefill_end" }, (router) => router.onPrefillEnd(1, 1))).toBe("cache_hit");
    });
  });

  describe("pairing same_group", () => {
    const grouped: WorkerSpec[] = [
      { id: "p-a", leg: "prefill", group: "a" },
      { id: "p-b", leg: "prefill", group: "b" },
      { id: "d-a", leg: "decode", group: "a" },
      { id: "d-b", leg: "decode", group: "b" },
    ];

    it.each(["independent", "decode_first", "prefill_first", "late_decode"])(
      "keeps both legs in one group under order %s",
      (order) => {
        const settings = { order, pairing: "same_group", policy: "random" };
        const router = new Router(resolveRouterConfig(settings).config, grouped, 5);
        for (let id = 0; id < 50; id++) {
          const { prefill, decode } = router.route(request(id), 0);
          const decodeWorker = (decode ?? router.routeDecode(id, 0))!.worker;
          expect(decodeWorker - prefill!.worker).toBe(2);
        }
      },
    );

    it("takes no prefill worker whose group has no healthy decode worker", () => {
      const settings = { pairing: "same_group", policy: "random" };
      const router = new Router(resolveRouterConfig(settings).config, grouped, 5);
      router.setHealthy(2, false, 0);
      for (let id = 0; id < 20; id++) expect(router.route(request(id), 0).prefill?.worker).toBe(1);
    });
  });
});

describe("a fleet that changes", () => {
  const growing = (settings: Record<string, unknown>, capacity: number) =>
    new Router(
      resolveRouterConfig({ decider: "never", ...settings }).config,
      [
        { id: "a", leg: "decode" },
        { id: "b", leg: "decode" },
      ],
      1,
      capacity,
    );

  it.each(POLICIES.map(({ name }) => name))(
    "%s sends to a worker that has joined and not to one that has left",
    (policy) => {
      const router = growing({ policy }, 4);
      const send = (id: number) =>
        router.route(request(id, { symbols: [id, 2], sessionKey: `s${id}` }), id).decode!.worker;
      for (let id = 0; id < 20; id++) send(id);
      expect(router.addWorker({ id: "c", leg: "decode" })).toBe(2);
      router.removeWorker(0);
      const after = new Set(Array.from({ length: 300 }, (_, i) => send(100 + i)));
      expect(after.has(0)).toBe(false);
      if (policy !== "bucket" && policy !== "aibrix_pd") expect(after.has(2)).toBe(true);
      for (let id = 0; id < 20; id++) router.onRequestEnd(id, "completed", 500);
      for (let i = 0; i < 300; i++) router.onRequestEnd(100 + i, "completed", 500);
      expect(router.isIdle()).toBe(true);
    },
  );

  it("gives a place to another worker only when nothing is open there", () => {
    const router = growing({ policy: "round_robin" }, 2);
    expect(router.route(request(1), 0).decode?.worker).toBe(0);
    router.removeWorker(0);
    expect(() => router.addWorker({ id: "c", leg: "decode" })).toThrow(
      "worker c cannot be added, expected at most 2 workers",
    );
    complete(router, 1);
    expect(router.addWorker({ id: "c", leg: "decode" })).toBe(0);
    expect(router.load.open(0)).toBe(0);
  });

  it("does not hand a removed worker's prefixes to the one that takes its place", () => {
    const router = growing({ policy: "cache_aware", ties: "first" }, 2);
    router.route(request(1, { symbols: [1, 2] }), 0);
    complete(router, 1);
    router.removeWorker(0);
    router.addWorker({ id: "c", leg: "decode" });
    expect(router.route(request(2, { symbols: [1, 2] }), 0).decode?.branch).toBe("min_load");
  });
});

describe("what a worker that has gone leaves behind", () => {
  it("is no load for the one that takes its place, though counts have leaked", () => {
    const router = routerOf({ policy: "in_flight", load_accounting: { leak_on_disconnect: true } });
    router.route(request(1, { promptTokens: 9 }), 0);
    router.onRequestEnd(1, "cancelled", 1);
    const leaked = [2, 3].find((worker) => router.load.open(worker) === 1)!;
    router.removeWorker(leaked);
    expect(router.addWorker({ id: "new", leg: "decode" })).toBe(leaked);
    expect([router.load.open(leaked), router.load.openTokens(leaked)]).toEqual([0, 0]);
  });

  it("is neither statistics nor prefixes once it is forgotten", () => {
    const router = routerOf(
      {
        decider: { kind: "uncached_tokens", disaggregate_at_uncached_tokens: 1 },
        order: "decode_first",
        policy: "least_loaded",
      },
      { prefill: 1, decode: 1 },
    );
    for (const worker of [0, 1]) router.updateStats(worker, { running: 1, waiting: 0, kvUsage: 0, atMs: 0 });
    const send = (id: number) => router.route(request(id, { symbols: [1] }), 0);
    expect(send(1)).toMatchObject({ path: "disaggregated", decode: { branch: "min_load" } });
    expect(send(2)).toMatchObject({ path: "decode_only", figures: { cached_tokens: 512 } });
    router.forgetWorker(1);
    expect(send(3)).toMatchObject({
      path: "disaggregated",
      figures: { cached_tokens: 0 },
      decode: { branch: "no_stats_round_robin" },
    });
  });
});

describe("tokens that a worker holds", () => {
  it("are the share of the prompt's units that it holds, in whole tokens", () => {
    const router = routerOf(
      {
        decider: { kind: "uncached_tokens", zero_means: "always" },
        order: "decode_first",
        policy: "round_robin",
      },
      { prefill: 1, decode: 1 },
    );
    // Units are characters here: 401 of them are 100 tokens, and 101 are held.
    const ask = (id: number, characters: number, promptTokens: number) => ({
      ...request(id, { promptTokens }),
      prefix: {
        symbols: Int32Array.from({ length: characters }, (_, i) => i),
        length: characters,
        unitsPerSymbol: 1,
        totalUnits: characters,
      },
    });
    router.route(ask(1, 101, 25), 0);
    expect(router.route(ask(2, 401, 100), 0).figures).toMatchObject({
      cached_tokens: 25,
      uncached_tokens: 75,
    });
    expect(router.route(ask(3, 0, 100), 0).figures).toMatchObject({ cached_tokens: 0 });
  });
});

describe("a request that asks for a worker", () => {
  it("that it would get anyway is decided as ever", () => {
    const router = routerOf({ decider: "never", policy: "in_flight", ties: "first" });
    const { decode } = router.route({ ...request(1), pinned: { decode: 2 } }, 0);
    expect(decode).toMatchObject({ worker: 2, branch: "min_load" });
    expect(decode!.figures).not.toHaveProperty("instead_of");
  });

  it("gets it, and later decisions are as they would have been", () => {
    const branches = (pinned: { decode: number } | null) => {
      const router = routerOf({ policy: "random" }, { decode: 5 });
      return Array.from({ length: 20 }, (_, id) => {
        const plain = request(id);
        const { decode } = router.route(id === 3 && pinned !== null ? { ...plain, pinned } : plain, 0);
        return decode!;
      });
    };
    const free = branches(null);
    const forced = branches({ decode: free[3]!.worker === 2 ? 3 : 2 });
    expect(forced[3]).toMatchObject({ branch: "pinned", figures: { instead_of: free[3]!.worker } });
    forced.forEach((decision, id) => {
      if (id !== 3) expect(decision).toEqual(free[id]);
    });
  });

  it("does not get one that is down or of the other leg", () => {
    const router = routerOf({ policy: "round_robin" });
    router.setHealthy(3, false, 0);
    expect(router.route({ ...request(1), pinned: { decode: 3 } }, 0).decode?.worker).toBe(2);
    expect(router.route({ ...request(2), pinned: { decode: 0 } }, 0).decode?.worker).toBe(2);
  });
});

describe("session_key_reaches", () => {
  it.each([
    ["both", "session_owner", "session_owner"],
    ["prefill", "session_owner", "prompt_owner"],
    ["decode", "prompt_owner", "session_owner"],
    ["none", "prompt_owner", "prompt_owner"],
  ])("%s: prefill goes by %s, decode by %s", (session_key_reaches, prefill, decode) => {
    const router = routerOf({ policy: "consistent_hash", session_key_reaches });
    const decision = router.route(request(1, { sessionKey: "s", symbols: [1] }), 0);
    expect([decision.prefill?.branch, decision.decode?.branch]).toEqual([prefill, decode]);
  });
});

describe("candidates", () => {
  it("says nothing of prefixes where nobody keeps an index of them", () => {
    const held = (settings: Record<string, unknown>) =>
      (["prefill", "decode"] as const).map(
        (leg) =>
          routerOf(settings, { prefill: 1, decode: 1 }).candidates(leg, request(1), 0)[0]!.cachedTokens,
      );
    expect(held({ decider: "always", policy: "in_flight" })).toEqual([null, null]);
    expect(held({ decider: "always", policy: "in_flight", prefill_policy: "cache_aware" })).toEqual([
      0,
      null,
    ]);
    expect(held({ decider: "uncached_tokens", policy: "in_flight", order: "decode_first" })).toEqual([0, 0]);
  });

  it("shows load after the resets that are due", () => {
    const router = routerOf({ policy: "in_flight", load_accounting: { health_check_resets_load_s: 10 } });
    router.route(request(1), 0);
    const open = router.candidates("decode", request(2), 10_000).map((view) => view.open);
    expect(open).toEqual([0, 0]);
  });

  it("shows the workers as a decision would find them, and changes nothing", () => {
    const router = routerOf({ decider: "never", policy: "cache_aware", ties: "first" });
    router.route(request(1, { symbols: [1, 2] }), 0);
    router.updateStats(3, { running: 1, waiting: 2, kvUsage: 0.5, atMs: 0 });
    const views = router.candidates("decode", request(2, { symbols: [1, 9] }), 0);
    expect(views).toEqual([
      {
        worker: 2,
        id: "decode-0",
        open: 1,
        openTokens: 1024,
        prefillTokens: 1024,
        cachedTokens: 512,
        stats: null,
      },
      {
        worker: 3,
        id: "decode-1",
        open: 0,
        openTokens: 0,
        prefillTokens: 0,
        cachedTokens: 0,
        stats: { running: 1, waiting: 2, kvUsage: 0.5, atMs: 0 },
      },
    ]);
    expect(router.isOpen(2)).toBe(false);
  });
});

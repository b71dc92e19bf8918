import { describe, expect, it } from "vitest";
import { LedgerError } from "../../src/routing/ledger.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { createRouter, RouterReplicas } from "../../src/routing/router-replicas.js";
import { Router } from "../../src/routing/router.js";
import { request, workers } from "./builders.js";

const replicas = (count: number, settings: Record<string, unknown> = {}) =>
  createRouter(
    resolveRouterConfig({ router_replicas: count, policy: "in_flight", ties: "first", ...settings }).config,
    workers(1, 2),
    1,
  );

describe("router replicas", () => {
  it("are one router when there is one", () => {
    expect(replicas(1)).toBeInstanceOf(Router);
    expect(replicas(2)).toBeInstanceOf(RouterReplicas);
  });

  it("get the requests in turn and know the load of their own share only", () => {
    const router = replicas(2);
    const decode = [0, 1, 2, 3].map((id) => router.route(request(id), 0).decode!.worker);
    expect(decode).toEqual([1, 1, 2, 2]);
    expect([0, 1, 2].map((worker) => router.load.open(worker))).toEqual([4, 2, 2]);
    expect([0, 1, 2].map((worker) => router.bookedLegs(worker))).toEqual([4, 2, 2]);
  });

  it("know the prefixes of their own share only", () => {
    const router = replicas(2, { policy: "cache_aware" });
    const branches = [0, 1, 2, 3].map(
      (id) => router.route(request(id, { symbols: [1, 2] }), 0).decode!.branch,
    );
    expect(branches).toEqual(["min_load", "min_load", "cache_hit", "cache_hit"]);
    expect(router.branchCounts()).toMatchObject({ "decode.min_load": 2, "decode.cache_hit": 2 });
  });

  it("hear of each request that is theirs, to its end", () => {
    const router = replicas(3, { order: "late_decode" });
    for (let id = 0; id < 9; id++) router.route(request(id), 0);
    for (let id = 0; id < 9; id++) {
      router.onDispatched(id, "prefill", 1);
      router.onHeaders(id, "prefill", 1);
      router.onPrefillEnd(id, 2);
      router.onLegEnd(id, "prefill", "completed", 2);
      expect(router.isOpen(id)).toBe(true);
      router.routeDecode(id, 2);
      router.onFirstToken(id, 3);
    }
    for (let id = 0; id < 9; id += 2) router.onLegEnd(id, "decode", "completed", 4);
    for (let id = 1; id < 9; id += 2) router.onRequestEnd(id, "cancelled", 4);
    expect(router.isIdle()).toBe(true);
    expect(() => router.onRequestEnd(0, "completed", 5)).toThrow(LedgerError);
  });

  it("hear of each step of a request that is theirs", () => {
    const router = replicas(2, {
      load_accounting: {
        decode_opens: "dispatch",
        decode_release: "headers",
        prefill_guard_opened_late: true,
      },
    });
    const load = () => [0, 1, 2].map((worker) => router.load.open(worker));
    const prefilling = () => [0, 1, 2].map((worker) => router.load.prefillTokens(worker));
    for (const id of [1, 2]) router.route(request(id, { promptTokens: 10 * id }), 0);
    expect(load()).toEqual([0, 0, 0]);
    expect(prefilling()).toEqual([30, 0, 0]);
    router.onHeaders(2, "prefill", 1);
    expect(load()).toEqual([1, 0, 0]);
    router.onPrefillEnd(2, 2);
    expect(prefilling()).toEqual([10, 0, 0]);
    router.onDispatched(2, "decode", 3);
    expect(load()).toEqual([1, 1, 0]);
    router.onFirstToken(2, 4);
    expect(load()).toEqual([1, 0, 0]);
    router.onDispatched(1, "decode", 5);
    router.onFirstToken(1, 6);
    expect([load(), prefilling()]).toEqual([
      [1, 0, 0],
      [0, 0, 0],
    ]);
  });

  it("all hear of KV events and of caches that are gone, and take workers in and out alike", () => {
    const router = replicas(2, { decider: "never", policy: "precise_prefix", speculative_s: 0 });
    const send = (id: number) => router.route(request(id, { symbols: [1] }), 0).decode!;
    router.onKvEvent({ worker: 2, kind: "stored", symbols: Int32Array.of(1) });
    for (const id of [1, 2]) expect(send(id)).toMatchObject({ worker: 2, branch: "prefix_hit" });
    router.forgetWorker(2);
    for (const id of [3, 4]) expect(send(id).branch).toBe("min_load");
    router.removeWorker(1);
    for (const id of [5, 6]) expect(send(id).worker).toBe(2);
    expect(() => router.addWorker({ id: "new", leg: "decode" })).toThrow(/cannot be added/);
    for (const id of [1, 2, 3, 4]) router.onRequestEnd(id, "completed", 1);
    expect(router.addWorker({ id: "new", leg: "decode" })).toBe(1);
    expect([7, 8].map((id) => send(id).worker)).toEqual([1, 1]);
  });

  it("draw different random numbers", () => {
    const router = replicas(2, { decider: "never", policy: "random" });
    const picks = Array.from({ length: 200 }, (_, id) => router.route(request(id), 0).decode!.worker);
    const [even, odd] = [0, 1].map((parity) => picks.filter((_, i) => i % 2 === parity).join(""));
    expect(even).not.toBe(odd);
  });

  it("refuse an id that is open, whoever has it", () => {
    const router = replicas(2);
    router.route(request(1), 0);
    expect(() => router.route(request(1), 0)).toThrow(LedgerError);
  });

  it("all hear of health and statistics", () => {
    const router = replicas(2, { decode_policy: "least_loaded" });
    expect(router.usesStats()).toBe(true);
    router.updateStats(1, { running: 5, waiting: 0, kvUsage: 0, atMs: 0 });
    router.updateStats(2, { running: 1, waiting: 0, kvUsage: 0, atMs: 0 });
    expect([0, 1].map((id) => router.route(request(id), 0).decode!.worker)).toEqual([2, 2]);
    router.setHealthy(2, false, 0);
    expect([2, 3].map((id) => router.route(request(id), 0).decode!.worker)).toEqual([1, 1]);
  });
});

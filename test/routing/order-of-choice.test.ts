import { describe, expect, it } from "vitest";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { Router } from "../../src/routing/router.js";
import type { WorkerSpec } from "../../src/routing/types.js";
import { complete, request, routerOf } from "./builders.js";

const linear = { prefill_base_ms: 0, prefill_ms_per_token: 1, prefill_ms_per_token_pair: 0 };
/** least_estimated_ttft goes by `min_load` on a decode worker once it is known that the KV cache comes to it. */
const knows = (order: string, more: Record<string, unknown> = {}) => {
  const settings = { order, decider: "always", policy: "least_estimated_ttft", ...linear, ...more };
  return routerOf(settings, { prefill: 2, decode: 2 });
};

describe("the order of choice", () => {
  it.each([
    ["independent", "min_load"],
    ["prefill_first", "min_load"],
    // The decode worker is chosen before anybody knows where the prompt will be computed.
    ["decode_first", "min_ttft"],
  ])("%s: the decode worker of a disaggregated request is chosen by %s", (order, branch) => {
    const { path, decode } = knows(order).route(request(1, { symbols: [1] }), 0);
    expect(path).toBe("disaggregated");
    expect(decode!.branch).toBe(branch);
  });

  it("late_decode: the decode worker is chosen by load when the prefill has ended", () => {
    const router = knows("late_decode");
    expect(router.route(request(1, { symbols: [1] }), 0).decode).toBeNull();
    router.onLegEnd(1, "prefill", "completed", 5);
    expect(router.routeDecode(1, 5)!.branch).toBe("min_load");
  });

  it("late_decode: a request that stays local gets its worker at once", () => {
    const router = knows("late_decode", { decider: "never" });
    expect(router.route(request(1, { symbols: [1] }), 0)).toMatchObject({
      path: "decode_only",
      decode: { branch: "min_ttft" },
    });
  });

  it("knows that the decode worker computes the prompt where there is no prefill worker", () => {
    const router = knows("independent");
    for (const worker of [0, 1]) router.setHealthy(worker, false, 0);
    expect(router.route(request(1, { symbols: [1] }), 0)).toMatchObject({
      path: "decode_only",
      branch: "no_prefill_worker",
      decode: { branch: "min_ttft" },
    });
    complete(router, 1);
    expect(router.isIdle()).toBe(true);
  });

  it.each([
    // A short request, then a long one: whose turn is it?
    ["independent", 0, 3],
    ["prefill_first", 1, 3],
    ["decode_first", 0, 3],
  ])("%s: under round robin prefill worker %i and decode worker %i come second", (order, prefill, decode) => {
    const settings = { order, decider: { kind: "threshold", routing_threshold: 100 }, policy: "round_robin" };
    const router = routerOf(settings, { prefill: 2, decode: 2 });
    expect(router.route(request(1, { promptTokens: 10 }), 0)).toMatchObject({ path: "decode_only" });
    expect(router.route(request(2, { promptTokens: 100 }), 0)).toMatchObject({
      prefill: { worker: prefill },
      decode: { worker: decode },
    });
  });

  const groups: WorkerSpec[] = [
    { id: "p-a", leg: "prefill", group: "a" },
    { id: "p-b", leg: "prefill", group: "b" },
    { id: "d-a", leg: "decode", group: "a" },
    { id: "d-b", leg: "decode", group: "b" },
  ];
  const paired = (order: string) =>
    new Router(
      resolveRouterConfig({
        order,
        decider: "always",
        pairing: "same_group",
        policy: "in_flight",
        ties: "first",
      }).config,
      groups,
      1,
    );

  it.each([
    ["independent", 0, 2],
    ["prefill_first", 0, 2],
    ["decode_first", 1, 3],
  ])("%s with same_group: the leg chosen first decides on the group", (order, prefill, decode) => {
    const router = paired(order);
    // A local request keeps decode worker a busy; both prefill workers are idle, so that a comes first.
    router.route({ ...request(1), decodeOnly: "x" }, 0);
    expect(router.route(request(2), 0)).toMatchObject({
      prefill: { worker: prefill },
      decode: { worker: decode },
    });
  });

  it("a leg that is routed again stays in its group, and ends its request where no worker is left", () => {
    const router = paired("independent");
    router.route(request(1), 0);
    expect(router.rerouteLeg(request(1), "prefill", "failed", 1, [0])).toBeNull();
    expect(router.isOpen(1)).toBe(true);
    expect(router.rerouteLeg(request(1), "decode", "failed", 1, [])).toMatchObject({ worker: 2 });
    expect(router.rerouteLeg(request(1), "decode", "failed", 1, [2])).toBeNull();
    expect(router.isOpen(1)).toBe(false);
    expect(router.isIdle()).toBe(true);
  });

  it("a local request that is routed again takes its prompt along, another's decode leg does not", () => {
    const router = routerOf({ decider: "always", policy: "in_flight" }, { prefill: 1, decode: 2 });
    const tokens = () => [0, 1, 2].map((worker) => router.load.prefillTokens(worker));
    const local = { ...request(1, { promptTokens: 70 }), decodeOnly: "x" };
    const { worker } = router.route(local, 0).decode!;
    const other = router.rerouteLeg(local, "decode", "failed", 1, [worker])!.worker;
    expect(tokens()[other]).toBe(70);
    complete(router, 1);
    const split = request(2, { promptTokens: 50 });
    const decode = router.route(split, 2).decode!.worker;
    router.rerouteLeg(split, "decode", "failed", 3, [decode]);
    expect(tokens()).toEqual([50, 0, 0]);
  });
});

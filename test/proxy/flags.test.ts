import { describe, expect, it } from "vitest";
import { REFUSED_FLAGS } from "../../src/proxy/refused-flags.js";
import { DEFAULT_RESILIENCE } from "../../src/proxy/resilience.js";
import { defaultOf, RESILIENCE_FLAGS, resilienceOf } from "../../src/proxy/resilience-flags.js";
import { routerBlock, type RoutingFlags } from "../../src/proxy/routing-flags.js";
import { workersOf, type WorkerFlags } from "../../src/proxy/worker-flags.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";

const ids = (flags: WorkerFlags) => {
  const { prefill, decode } = workersOf(flags);
  return [prefill.map(({ id }) => id), decode.map(({ id }) => id)];
};

describe("the workers that flags name", () => {
  it("are vllm-router's, each prefill URL with its bootstrap port", () => {
    const flags = {
      prefill: ["http://p0:1", "none", "http://p1:1", "8998", "http://p2:1"],
      decode: ["http://d:1"],
    };
    expect(workersOf(flags).prefill.map(({ bootstrapPort }) => bootstrapPort)).toEqual([null, 8998, null]);
    expect(ids(flags)).toEqual([["http://p0:1", "http://p1:1", "http://p2:1"], ["http://d:1"]]);
  });

  it("are multiplied by data-parallel ranks", () => {
    const flags = { prefill: ["http://p:1"], decode: ["http://d:1"], intraNodeDataParallelSize: 2 };
    expect(ids(flags)).toEqual([
      ["http://p:1@0", "http://p:1@1"],
      ["http://d:1@0", "http://d:1@1"],
    ]);
  });

  it("do both where they are only workers", () => {
    expect(ids({ workerUrls: ["http://a:1", "http://b:1"] })).toEqual([[], ["http://a:1", "http://b:1"]]);
  });

  it("are production-stack's by label, whole labels and not parts of them", () => {
    const flags = {
      staticBackends: "http://a:1, http://b:1,http://c:1",
      staticModels: "m,m,m",
      staticModelLabels: "prefill,pre,decode",
      prefillModelLabels: "prefill",
      decodeModelLabels: "decode,pre",
    };
    expect(ids(flags)).toEqual([["http://a:1"], ["http://b:1", "http://c:1"]]);
  });

  it("serve a model each where there are several, and are asked for no name where there is one", () => {
    const models = (staticModels: string) =>
      workersOf({ staticBackends: "http://a:1,http://b:1", staticModels }).decode.map(({ model }) => model);
    expect(models("x,y")).toEqual(["x", "y"]);
    expect(models("x,x")).toEqual([null, null]);
  });

  it.each<[string, WorkerFlags, RegExp]>([
    ["two ways", { decode: ["http://d:1"], workerUrls: ["http://w:1"] }, /expected one way/],
    ["a port without a URL", { prefill: ["8998"] }, /expected a URL before it/],
    ["two ports", { prefill: ["http://p:1", "none", "none"] }, /expected a URL before it/],
    ["a port that is none", { prefill: ["http://p:1", "70000"] }, /70000 is not a port/],
    ["no URL", { decode: ["d:1"] }, /is not a worker URL/],
    [
      "too few labels",
      { staticBackends: "http://a:1,http://b:1", staticModelLabels: "p", prefillModelLabels: "p" },
      /got 1 for 2 backends, expected one for each/,
    ],
    [
      "nobody's label",
      { staticBackends: "http://a:1", staticModelLabels: "p", decodeModelLabels: "d" },
      /d: no backend/,
    ],
  ])("cannot be given with %s", (_, flags, message) => {
    expect(() => workersOf(flags)).toThrow(message);
  });
});

describe("the routing that flags stand for", () => {
  const resolved = (flags: RoutingFlags, base = {}) => {
    const { decider, prefillPolicy, decodePolicy } = resolveRouterConfig(routerBlock(flags, base)).config;
    return { decider, prefill: prefillPolicy, decode: decodePolicy };
  };

  it.each<[string, RoutingFlags, object]>([
    [
      "vllm-router's PD mode: cache_aware on both legs, everything disaggregated",
      { vllmPdDisaggregation: true },
      {
        decider: { name: "threshold", params: { routing_threshold: 0 } },
        prefill: { name: "cache_aware" },
        decode: { name: "cache_aware" },
      },
    ],
    [
      "vllm-router's regular mode: nothing disaggregated",
      { workerUrls: ["http://a:1"] },
      { decider: { name: "never" }, decode: { name: "cache_aware" } },
    ],
    [
      "a policy for each leg",
      { vllmPdDisaggregation: true, prefillPolicy: "power_of_two", decodePolicy: "round_robin" },
      { prefill: { name: "power_of_two" }, decode: { name: "round_robin" } },
    ],
    [
      "thresholds of cache_aware",
      { policy: "cache_aware", cacheThreshold: "0.5", balanceAbsThreshold: "32", balanceRelThreshold: "1.1" },
      { decode: { params: { cache_threshold: 0.5, balance_abs_threshold: 32, balance_rel_threshold: 1.1 } } },
    ],
    [
      "production-stack's threshold and strategy",
      {
        routingLogic: "disaggregated_prefill",
        routingThreshold: "4096",
        loadBalancingStrategy: "least_loaded",
      },
      {
        decider: { name: "threshold", params: { routing_threshold: 4096 } },
        prefill: { name: "least_loaded" },
        decode: { name: "least_loaded" },
      },
    ],
    [
      "production-stack without disaggregation",
      { routingLogic: "roundrobin" },
      { decider: { name: "never" }, decode: { name: "round_robin" } },
    ],
    [
      "any other setting",
      { set: ["decode_policy=round_robin", "decider.routing_threshold=7"] },
      { decode: { name: "round_robin" }, decider: { params: { routing_threshold: 7 } } },
    ],
  ])("%s", (_, flags, expected) => {
    expect(resolved(flags)).toMatchObject(expected);
  });

  it("wins over the block of a scenario", () => {
    const base = {
      prefill_policy: "cache_aware",
      decode_policy: "in_flight",
      decider: { kind: "threshold", routing_threshold: 9 },
    };
    expect(resolved({ policy: "round_robin" }, base)).toMatchObject({
      decider: { params: { routing_threshold: 9 } },
      prefill: { name: "round_robin" },
      decode: { name: "round_robin" },
    });
    expect(base.decider.routing_threshold).toBe(9);
  });

  it("takes the defects of load accounting, one by one", () => {
    const { config } = resolveRouterConfig(routerBlock({ set: ["load_accounting.decode_release=headers"] }));
    expect(config.loadAccounting.decode_release).toBe("headers");
  });

  it.each<[string, RoutingFlags, RegExp]>([
    ["a routing logic that is not there", { routingLogic: "kvaware" }, /kvaware is not supported/],
    [
      "two names for the policy",
      { policy: "random", loadBalancingStrategy: "random" },
      /expected one of them/,
    ],
    ["a setting without a value", { set: ["decider"] }, /expected PATH=VALUE/],
  ])("refuses %s", (_, flags, message) => {
    expect(() => routerBlock(flags)).toThrow(message);
  });
});

describe("flags of other routers that are not there", () => {
  it("each have one reason", () => {
    for (const [flag, reason] of REFUSED_FLAGS) {
      expect(flag).toMatch(/^[a-z0-9-]+$/);
      expect(reason.length).toBeGreaterThan(10);
    }
  });
});

describe("the resilience that flags stand for", () => {
  const resilience = (flags: Readonly<Record<string, unknown>>) => resilienceOf((name) => flags[name]);

  it("is vllm-router's when nothing is said", () => {
    expect(resilience({})).toEqual(DEFAULT_RESILIENCE);
  });

  it("has one setting for every flag, and every flag's default in it", () => {
    for (const flag of RESILIENCE_FLAGS) {
      const usual = defaultOf(flag) ?? undefined;
      expect(resilience({ [flag.name]: usual }), flag.name).toEqual(DEFAULT_RESILIENCE);
      const other = typeof defaultOf(flag) === "string" ? "/other" : 77;
      expect(resilience({ [flag.name]: other }), flag.name).not.toEqual(DEFAULT_RESILIENCE);
    }
  });

  it("takes seconds, and switches", () => {
    const settings = resilience({ "cb-timeout-duration-secs": 2.5, "disable-health-checks": true });
    expect(settings.breaker?.openMs).toBe(2500);
    expect(settings.health).toBeNull();
  });
});

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { DECIDERS, POLICIES, PRESETS } from "../../src/routing/registry.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { request, routerOf } from "./builders.js";

const file = (path: string) =>
  existsSync(fileURLToPath(new URL(`../../src/routing/${path}.ts`, import.meta.url)));

describe("files", () => {
  it.each(POLICIES.map(({ name }) => name))("policy %s is where its name says", (name) => {
    expect(file(`policies/${name.replaceAll("_", "-")}`)).toBe(true);
  });

  it.each(DECIDERS.map(({ name }) => name))("decider %s is where its name says", (name) => {
    expect(file(`deciders/${name.replaceAll("_", "-")}`)).toBe(true);
  });
});

describe("presets", () => {
  it("are the ten that are promised", () => {
    expect(PRESETS.map(({ name }) => name)).toEqual([
      "vllm-router",
      "vllm-router-regular",
      "sglang-gateway",
      "production-stack",
      "production-stack-conditional",
      "llm-d",
      "dynamo",
      "aibrix",
      "ray-serve",
      "mooncake",
    ]);
  });

  it.each(PRESETS)("$name resolves, routes, and says what it models and what not", (preset) => {
    const { unused } = resolveRouterConfig(preset.settings);
    expect(unused).toEqual([]);
    expect(preset.models.length).toBeGreaterThan(0);
    expect(preset.doesNotModel.length).toBeGreaterThan(0);
    const router = routerOf({ preset: preset.name });
    const { path } = router.route(request(1, { symbols: [1, 2] }), 0);
    expect(path).toBe(
      preset.name === "llm-d" || preset.name === "vllm-router-regular" ? "decode_only" : "disaggregated",
    );
    router.onRequestEnd(1, "completed", 1);
    expect(router.isIdle()).toBe(true);
  });

  it.each(PRESETS)("$name gives parameters that its policies and deciders have", ({ parameters }) => {
    for (const [name, values] of Object.entries(parameters)) {
      const spec = [...POLICIES, ...DECIDERS].find((candidate) => candidate.name === name)!;
      const known = spec.parameters.map((parameter) => parameter.name);
      for (const parameter of Object.keys(values)) expect(known).toContain(parameter);
      const kind = POLICIES.some((policy) => policy.name === name) ? "policy" : "decider";
      expect(() => resolveRouterConfig({ [kind]: name, ...values })).not.toThrow();
    }
  });

  it("give way to the scenario, and say where each setting comes from", () => {
    const { config, settings } = resolveRouterConfig({ preset: "vllm-router", cache_threshold: 0.5 });
    expect(config.prefillPolicy.params).toMatchObject({ cache_threshold: 0.5, form: "compat" });
    const origin = (path: string) => settings.find((setting) => setting.path === path)?.origin;
    expect(origin("preset")).toBe("scenario");
    expect(origin("prefill.cache_threshold")).toBe("scenario");
    expect(origin("prefill.form")).toBe("preset");
    expect(origin("prefill.holder")).toBe("default");
    expect(origin("load_accounting.decode_release")).toBe("preset");
    expect(origin("decider.kind")).toBe("preset");
  });

  it("bring the product's parameters to whichever policy is chosen", () => {
    const { config } = resolveRouterConfig({ preset: "vllm-router", policy: "consistent_hash" });
    expect(config.prefillPolicy).toMatchObject({
      name: "consistent_hash",
      params: { keyless: "prompt", when_owner_is_down: "first_healthy" },
    });
  });

  it("tell vllm-router's PD mode from its regular one, where chat has no text and the ring no dead workers", () => {
    const of = (preset: string, policy: string) =>
      resolveRouterConfig({ preset, policy }).config.decodePolicy;
    expect(of("vllm-router-regular", "consistent_hash").params).toMatchObject({
      keyless: "constant",
      when_owner_is_down: "next",
    });
    expect(of("vllm-router", "rendezvous_hash").params).toMatchObject({ keyless: "prompt" });
    expect(of("vllm-router-regular", "rendezvous_hash").params).toMatchObject({ keyless: "constant" });
  });

  it("let vllm-router's power_of_two see prefill load in PD mode, and none in regular mode (#174)", () => {
    const loads = (preset: string, leg: "prefill" | "decode") => {
      const router = routerOf({ preset, policy: "power_of_two" }, { prefill: 1, decode: 1 });
      expect(router.usesStats()).toBe(false);
      for (let id = 0; id < 2; id++) router.route(request(id), 0);
      return router.route(request(2), 0)[leg]!.figures["first_load"];
    };
    expect(loads("vllm-router", "prefill")).toBe(2);
    expect(loads("vllm-router", "decode")).toBe(0);
    expect(loads("vllm-router-regular", "decode")).toBe(0);
  });

  it("keep the settings of one leg to their own policy", () => {
    const own = resolveRouterConfig({ preset: "mooncake" }).config.decodePolicy;
    expect(own).toMatchObject({ name: "in_flight", params: { load_unit: "prompt_tokens" } });
    const other = resolveRouterConfig({ preset: "dynamo", decode_policy: "in_flight" }).config.decodePolicy;
    expect(other).toMatchObject({ name: "in_flight", params: { load_unit: "requests" } });
  });

  it("let one defect be fixed at a time", () => {
    const { config } = resolveRouterConfig({
      preset: "vllm-router",
      load_accounting: { decode_release: "stream_end" },
    });
    expect(config.loadAccounting).toMatchObject({ decode_release: "stream_end", leak_on_disconnect: true });
  });

  it("tell how often their product polls its engines", () => {
    expect(resolveRouterConfig({ preset: "production-stack" }).statsIntervalMs).toBe(30_000);
    expect(resolveRouterConfig({}).statsIntervalMs).toBeNull();
  });

  it("refuse to choose jointly by policies that give no costs", () => {
    expect(() => resolveRouterConfig({ order: "joint", policy: "random" })).toThrow(
      /router\.order: "joint" needs policies that give costs \(.*aibrix_pd.*\), and random does not/,
    );
  });

  it("reproduce SMG's ties: equal loads go to the worker given fewest requests", () => {
    const router = routerOf({ preset: "sglang-gateway", decider: "never" }, { prefill: 0, decode: 3 });
    const order = Array.from({ length: 6 }, (_, id) => {
      const { worker } = router.route(request(id, { symbols: [100 + id] }), 0).decode!;
      router.onRequestEnd(id, "completed", 0);
      return worker;
    });
    expect(order).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it("reproduce SMG's stale owners: their prefixes wait for them at the first healthy worker", () => {
    const router = routerOf({ preset: "sglang-gateway", decider: "never" }, { prefill: 0, decode: 3 });
    const send = (id: number) => {
      const { worker, branch } = router.route(request(id, { symbols: [1] }), 0).decode!;
      router.onRequestEnd(id, "completed", 0);
      return [worker, branch];
    };
    expect(send(1)).toEqual([0, "min_load"]);
    router.setHealthy(0, false, 0);
    for (let id = 2; id < 6; id++) expect(send(id)).toEqual([1, "first_healthy"]);
    router.setHealthy(0, true, 0);
    expect(send(9)).toEqual([0, "cache_hit"]);
  });
});

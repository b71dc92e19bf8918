import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.js";
import { DECIDERS, POLICIES } from "../../src/routing/registry.js";
import { resolveRouterConfig, type SettingInForce } from "../../src/routing/router-config.js";

const valueOf = (settings: Record<string, unknown>, path: string): SettingInForce | undefined =>
  resolveRouterConfig(settings).settings.find((setting) => setting.path === path);

/** The dotted settings as a nested block. */
function blockOf(settings: readonly SettingInForce[]): Record<string, unknown> {
  const block: Record<string, Record<string, unknown>> = {};
  const top: Record<string, unknown> = block;
  for (const { path, value } of settings) {
    const [first, second] = path.split(".") as [string, string | undefined];
    if (second === undefined) top[first] = value;
    else (block[first] ??= {})[second] = value;
  }
  return top;
}

describe("resolveRouterConfig", () => {
  it("has defaults for everything", () => {
    const { config, unused } = resolveRouterConfig();
    expect(config.decider).toEqual({ name: "threshold", params: { routing_threshold: 0 } });
    expect(config.prefillPolicy).toMatchObject({ name: "cache_aware", params: { cache_threshold: 0.3 } });
    expect(config.decodePolicy.name).toBe("in_flight");
    expect(config.order).toBe("independent");
    expect(config.loadAccounting.decode_release).toBe("stream_end");
    expect(unused).toEqual([]);
  });

  it("reads the block of the scenario in the contract", () => {
    const { config, unused } = resolveRouterConfig({
      preset: null,
      decider: { kind: "threshold", routing_threshold: 4096 },
      prefill_policy: "cache_aware",
      decode_policy: "least_loaded",
      cache_threshold: 0.3,
      balance_abs_threshold: 64,
      balance_rel_threshold: 1.5,
    });
    expect(config.decider.params["routing_threshold"]).toBe(4096);
    expect(config.decodePolicy.name).toBe("least_loaded");
    expect(unused).toEqual([]);
  });

  it.each([
    [{ decider: "never" }, "never"],
    [{ decider: { kind: "always" } }, "always"],
    [{ routing_threshold: 5 }, "threshold"],
  ])("takes the decider from %j", (settings, name) => {
    expect(resolveRouterConfig(settings).config.decider.name).toBe(name);
  });

  it("prefers one leg's settings to both legs'", () => {
    const { config } = resolveRouterConfig({
      policy: "cache_aware",
      decode_policy: "in_flight",
      cache_threshold: 0.4,
      prefill: { cache_threshold: 0.5 },
      decode: { load_unit: "prompt_tokens" },
    });
    expect(config.prefillPolicy).toMatchObject({ name: "cache_aware", params: { cache_threshold: 0.5 } });
    expect(config.decodePolicy).toMatchObject({ name: "in_flight", params: { load_unit: "prompt_tokens" } });
  });

  it("says where each setting comes from", () => {
    const settings = { prefill_policy: "cache_aware", cache_threshold: 0.4 };
    expect(valueOf(settings, "prefill.cache_threshold")).toEqual({
      path: "prefill.cache_threshold",
      value: 0.4,
      origin: "scenario",
    });
    expect(valueOf(settings, "prefill.balance_abs_threshold")).toMatchObject({
      value: 64,
      origin: "default",
    });
    expect(valueOf(settings, "prefill_policy")).toMatchObject({ origin: "scenario" });
    expect(valueOf(settings, "decode_policy")).toMatchObject({ origin: "default" });
  });

  it("gives the same configuration when fed the settings in force", () => {
    const given = {
      policy: "cache_aware",
      decode: { form: "compat" },
      routing_threshold: 7,
      load_accounting: { decode_release: "headers" },
    };
    const { config, settings } = resolveRouterConfig(given);
    const again = resolveRouterConfig(blockOf(settings));
    expect(again.config).toEqual(config);
    expect(again.unused).toEqual([]);
  });

  it.each([
    [{ policy: "round_robin", cache_threshold: 0.5 }, ["cache_threshold"]],
    [{ prefill_policy: "round_robin", prefill: { cache_threshold: 0.5 } }, ["prefill.cache_threshold"]],
    [{ decider: { kind: "never", routing_threshold: 9 } }, ["decider.routing_threshold"]],
    [{ decider: "never", routing_threshold: 9 }, ["routing_threshold"]],
    [{ policy: "cache_aware", cache_threshold: 0.5 }, []],
    [{ decode_policy: "cache_aware", cache_threshold: 0.5 }, []],
  ])("lists what nothing looks at in %j: %j", (settings, unused) => {
    expect(resolveRouterConfig(settings).unused).toEqual(unused);
  });

  it.each([
    [{ decider: "never", prefill_policy: "random" }, ["prefill_policy"]],
    [{ decider: "never", prefill: { cache_threshold: 0.5 } }, ["prefill.cache_threshold"]],
    [
      { decider: "never", prefill_output: "client_limit", pairing: "any", without_prefill_worker: "reject" },
      ["prefill_output", "pairing", "without_prefill_worker"],
    ],
    // Chosen before the decider is asked, so that its turn or its random numbers move on.
    [{ decider: "never", order: "prefill_first", prefill_policy: "random" }, []],
    [{ decider: "threshold", prefill_policy: "random", prefill_output: "client_limit" }, []],
    [{ policy: "random", session_key_reaches: "none" }, ["session_key_reaches"]],
    [{ policy: "random", prefill_policy: "rendezvous_hash", session_key_reaches: "none" }, []],
    [{ policy: "weighted_scorers", session_key_reaches: "none" }, ["session_key_reaches"]],
    [{ policy: "weighted_scorers", session_weight: 1, session_key_reaches: "none" }, []],
    [
      { load_accounting: { never_counted: true, leak_on_disconnect: true } },
      ["load_accounting.leak_on_disconnect"],
    ],
    [{ load_accounting: { never_counted: false, leak_on_disconnect: true } }, []],
    [{ preset: "vllm-router-regular" }, []],
  ])("lists what the rest leaves without effect in %j: %j", (settings, paths) => {
    expect(resolveRouterConfig(settings).withoutEffect.map(({ path }) => path)).toEqual(paths);
  });

  it.each([
    [{ policy: "cache_awar" }, 'router.policy: "cache_awar" is not known, did you mean "cache_aware"?'],
    [
      { prefill_policy: "round-robin" },
      'router.prefill_policy: "round-robin" is not known, did you mean "round_robin"?',
    ],
    [
      { decider: { kind: "treshold" } },
      'router.decider.kind: "treshold" is not known, did you mean "threshold"?',
    ],
    [
      { decider: { kind: "threshold", routing_threshold: -1 } },
      "router.decider.routing_threshold: -1 is not valid, expected a whole number of at least 0",
    ],
    [
      { routing_threshold: 1.5 },
      "router.routing_threshold: 1.5 is not valid, expected a whole number of at least 0",
    ],
    [{ cache_threshold: 1.5 }, "router.cache_threshold: 1.5 is not valid, expected a number from 0 to 1"],
    [
      { policy: "round_robin", cache_threshold: 1.5 },
      "router.cache_threshold: 1.5 is not valid, expected a number from 0 to 1",
    ],
    [
      { balance_rel_threshold: 0.9 },
      "router.balance_rel_threshold: 0.9 is not valid, expected a number of at least 1",
    ],
    [
      { prefill: { cache_threshold: "0.5" } },
      'router.prefill.cache_threshold: "0.5" is not valid, expected a number from 0 to 1',
    ],
    [
      { cache_treshold: 0.5 },
      'router.cache_treshold: there is no such setting, did you mean "cache_threshold"?',
    ],
    [
      { decider: { routing_treshold: 5 } },
      'router.decider.routing_treshold: there is no such setting, did you mean "routing_threshold"?',
    ],
    [
      { load_accounting: { decode_relase: "headers" } },
      'router.load_accounting.decode_relase: there is no such setting, did you mean "decode_release"?',
    ],
    [
      { load_accounting: { decode_release: "header" } },
      'router.load_accounting.decode_release: "header" is not valid, expected "stream_end" or "headers", did you mean "headers"?',
    ],
    [{ prefill: 3 }, "router.prefill: 3 is not valid, expected a block of settings"],
    [
      { order: "decode-first" },
      'router.order: "decode-first" is not valid, expected "independent" or "decode_first" or "prefill_first" or "joint" or "late_decode", did you mean "decode_first"?',
    ],
  ])("refuses %j", (settings, message) => {
    expect(() => resolveRouterConfig(settings)).toThrow(InputError);
    expect(() => resolveRouterConfig(settings)).toThrow(message);
  });
});

describe("the registry", () => {
  it("names everything once, in snake_case, with a summary of one line and a source", () => {
    for (const specs of [POLICIES, DECIDERS]) {
      const names = specs.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const { name, summary, source, parameters } of specs) {
        expect(name).toMatch(/^[a-z][a-z_]*$/);
        expect(summary).toMatch(/^[^\n]{10,110}\.$/);
        expect(source).not.toBe("");
        for (const parameter of parameters) {
          expect(parameter.name).toMatch(/^[a-z][a-z0-9_]*$/);
          expect(parameter.summary).toMatch(/\.$/);
        }
      }
    }
  });

  it("gives parameters of one name one type wherever they appear", () => {
    const types = new Map<string, string>();
    for (const { parameters } of [...POLICIES, ...DECIDERS]) {
      for (const { name, type, min, max, unit } of parameters) {
        const shape = JSON.stringify({ type, min, max, unit });
        expect(types.get(name) ?? shape).toBe(shape);
        types.set(name, shape);
      }
    }
  });
});

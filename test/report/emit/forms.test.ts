import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { emissionText } from "../../../src/report/emit/emission-text.js";
import type { Emission } from "../../../src/report/emit/emission.js";
import { EMIT_TARGETS, emitTargetNamed } from "../../../src/report/emit/targets.js";
import { wantedOf } from "../../../src/report/emit/wanted.js";
import { summaryOf } from "../sweep-builder.js";
import { routerBlocks } from "./router-blocks.js";

function emit(product: string, router: Readonly<Record<string, unknown>>, signals = {}): Emission {
  const settings = { fleet: { prefill: { workers: 1 }, decode: { workers: 1 } }, router, signals };
  return emitTargetNamed(product).emit(wantedOf({ ...summaryOf(), settings }, "run"));
}

const words = (emission: Emission) => emissionText(emission, "the settings of run r");
const settingsOf = ({ differences }: Emission) => differences.map(({ setting }) => setting);

describe("settings written for a product", () => {
  it.each(EMIT_TARGETS.map(({ name }) => name))(
    "%s: any router gives a text, or YAML that parses",
    (name) => {
      fc.assert(
        fc.property(routerBlocks(), (block) => {
          const emission = emit(name, block);
          const text = words(emission);
          expect(text).toContain(
            emission.differences.length === 0 ? "All of the router" : "cannot be expressed",
          );
          if ("yaml" in emission.form) expect(parse(text)).toEqual(parse(emission.form.yaml));
        }),
        { numRuns: 25 },
      );
    },
  );

  it("are refused for a product that there is not, with the nearest name", () => {
    expect(() => emitTargetNamed("aibrixx")).toThrow(
      '--emit aibrixx: there is no such product, did you mean "aibrix"?',
    );
  });

  it("need the router's settings in the summary", () => {
    expect(() => wantedOf(summaryOf(), "old")).toThrow("old: its summary has no settings.router");
  });
});

describe("llm-d", () => {
  it("takes a number of uncached tokens, which disaggregates from exactly there on", () => {
    const router = {
      preset: "llm-d",
      decider: { kind: "uncached_tokens", disaggregate_at_uncached_tokens: 512 },
    };
    const emission = emit("llm-d", router);
    expect(emission.differences).toEqual([]);
    expect(words(emission)).toContain("nonCachedTokens: 512");
  });

  it("turns 0 as always into its always decider, and 0 as never into its own 0", () => {
    const decider = (zero_means: string) => ({
      preset: "llm-d",
      decider: { kind: "uncached_tokens", disaggregate_at_uncached_tokens: 0, zero_means },
    });
    expect(words(emit("llm-d", decider("always")))).toContain("type: always-disagg-pd-decider");
    expect(words(emit("llm-d", decider("never")))).toContain("nonCachedTokens: 0");
  });

  it("says that a threshold on the whole prompt is another rule", () => {
    expect(
      settingsOf(emit("llm-d", { preset: "llm-d", decider: { kind: "threshold", routing_threshold: 9 } })),
    ).toEqual(["decider.kind"]);
  });

  it("chooses by open requests with its active-request scorer alone", () => {
    const emission = emit("llm-d", { preset: "llm-d", decider: "always", policy: "in_flight" });
    expect(emission.differences).toEqual([]);
    expect(words(emission)).toContain("pluginRef: active-request-scorer");
    expect(words(emission)).not.toContain("queue-scorer");
  });
});

describe("dynamo", () => {
  it("takes the conditions of its own deciders as they are", () => {
    const decider = { kind: "length_or_load", eff_isl_threshold: 4096, decode_busy_threshold: 0.9 };
    const emission = emit("dynamo", { preset: "dynamo", decider });
    expect(emission.differences).toEqual([]);
    expect(words(emission)).toContain("--router-conditional-disagg-policy isl_or_load");
    expect(words(emission)).toContain("--router-conditional-disagg-eff-isl-threshold 4096");
  });

  it("has one mode for both legs", () => {
    const emission = emit("dynamo", {
      decider: "always",
      prefill_policy: "round_robin",
      decode_policy: "random",
    });
    expect(words(emission)).toContain("--router-mode round-robin");
    expect(settingsOf(emission)).toEqual(["decode_policy"]);
  });
});

describe("aibrix", () => {
  it("takes a threshold as the shortest prompt of its prefill pods", () => {
    const emission = emit("aibrix", {
      preset: "aibrix",
      decider: { kind: "threshold", routing_threshold: 2048 },
    });
    expect(emission.differences).toEqual([]);
    expect(words(emission)).toContain('"promptLenBucketMinLength":2048');
    expect(words(emission)).toContain("AIBRIX_PROMPT_LENGTH_BUCKETING");
  });

  it("says what its code has fixed", () => {
    expect(settingsOf(emit("aibrix", { preset: "aibrix", prefill: { miss_weight: 0.2 } }))).toEqual([
      "prefill.miss_weight",
    ]);
  });
});

describe("production-stack", () => {
  it("scrapes in whole seconds", () => {
    const router = { preset: "production-stack-conditional", policy: "least_loaded" };
    const interval = (stats_interval_ms: number) => emit("production-stack", router, { stats_interval_ms });
    expect(words(interval(2000))).toContain("--engine-stats-interval 2");
    expect(settingsOf(interval(250))).toEqual(["signals.stats_interval_ms"]);
  });
});

describe("vllm-router", () => {
  it("cannot have a threshold, and says so", () => {
    const router = { preset: "vllm-router", decider: { kind: "threshold", routing_threshold: 4096 } };
    expect(settingsOf(emit("vllm-router", router))).toEqual(["decider.kind"]);
  });

  it("takes one cache threshold for both legs", () => {
    const router = {
      preset: "vllm-router",
      prefill: { cache_threshold: 0.5 },
      decode: { cache_threshold: 0.7 },
    };
    expect(words(emit("vllm-router", router))).toContain("--cache-threshold 0.5");
    expect(settingsOf(emit("vllm-router", router))).toEqual(["decode.cache_threshold"]);
  });
});

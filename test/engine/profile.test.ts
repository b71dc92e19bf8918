import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.js";
import { PROFILES, builtinProfile } from "../../src/engine/builtin-profile.js";
import { modelShape } from "../../src/engine/model-shapes.js";
import {
  kvBlocks,
  kvBytesPerToken,
  kvCapacityTokens,
  parseProfile,
  profileModel,
} from "../../src/engine/profile.js";
import { BUILTIN_PROFILES } from "../../src/engine/profiles/registry.js";

const PROFILE = builtinProfile("llama-3.1-70b-h100-tp4-fp8");

describe("kvBytesPerToken", () => {
  it.each([
    ["Llama-3.1-8B", 2, 131072],
    ["Llama-3.1-70B", 2, 327680],
    ["Llama-3.1-70B", 1, 163840],
    ["Qwen3-32B", 2, 262144],
    ["DeepSeek-V3", 2, 70272],
    ["OPT-13B", 2, 819200],
  ])("%s with %i bytes per element", (model, kvDtypeBytes, expected) => {
    expect(kvBytesPerToken({ ...PROFILE, model: profileModel(model, kvDtypeBytes, 2) })).toBe(expected);
  });
});

describe("kvCapacityTokens", () => {
  it("takes the profile's own figure where there is one", () => {
    const profile = { ...PROFILE, kv_capacity_tokens: 41408 };
    expect(kvCapacityTokens(profile)).toBe(41408);
    expect(kvBlocks(profile, 16)).toBe(2588);
  });

  it("comes within 1 % of the 41,408 tokens that vLLM 0.19 left for KV on an RTX 4090", () => {
    const profile = builtinProfile("llama-3.1-8b-rtx4090-tp1-bf16");
    const capacity = kvCapacityTokens(profile, { maxNumSeqs: 256, maxNumBatchedTokens: 2048 });
    expect(Math.abs(capacity - 41408) / 41408).toBeLessThan(0.01);
  });

  it("keeps a copy of a latent KV vector on every card", () => {
    const profile = builtinProfile("deepseek-v3-h200-tp8-fp8");
    const halved = { ...profile, model: { ...profile.model, kv_latent_elements: 288 } };
    expect(kvCapacityTokens(halved) / kvCapacityTokens(profile)).toBeCloseTo(2, 3);
  });

  it("says what is missing where the card's memory is unknown", () => {
    const profile = { ...PROFILE, hardware: { name: "abacus", memory_bytes: null } };
    expect(() => kvCapacityTokens(profile)).toThrow(
      /llama-3.1-70b-h100-tp4-fp8: kv_capacity_tokens is not given/,
    );
  });

  it("says so where the weights do not fit", () => {
    expect(() => kvCapacityTokens({ ...PROFILE, tp: 1, gpu_memory_utilization: 0.8 })).toThrow(
      /leave no room for KV/,
    );
  });
});

describe("parseProfile", () => {
  it("takes every built-in profile as it is", () => {
    for (const profile of BUILTIN_PROFILES) {
      expect(parseProfile(JSON.parse(JSON.stringify(profile)), "built-in")).toEqual(profile);
    }
  });

  it.each([
    ["a missing field", { ...PROFILE, tp: undefined }, "my.yaml: tp: "],
    ["an unknown field", { ...PROFILE, tensor: 4 }, 'my.yaml: profile: Unrecognized key: "tensor"'],
    [
      "a negative overhead",
      { ...PROFILE, overheads: { ...PROFILE.overheads, http_ms: -1 } },
      "my.yaml: overheads.http_ms: ",
    ],
    ["no object", 5, "my.yaml: profile: "],
  ])("names file and field of %s", (_, object, message) => {
    const parse = (): unknown => parseProfile(object, "my.yaml");
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(message);
  });

  it("refuses a table with a hole", () => {
    const decode = { sequences: [1, 2], context_tokens: [512], ms: [10] };
    const profile = { ...PROFILE, step_time: { ...PROFILE.step_time, decode } };
    expect(() => parseProfile(profile, "my.yaml")).toThrow(/my\.yaml: step_time\.decode/);
  });
});

describe("builtinProfile", () => {
  it("lists at least 14 profiles, each with its source and how it was validated", () => {
    expect(PROFILES.length).toBeGreaterThanOrEqual(14);
    for (const { name, source } of PROFILES) {
      expect(source).not.toBe("");
      expect(builtinProfile(name).validation).toMatch(/validated/);
    }
  });

  it("names the nearest for an unknown name", () => {
    expect(() => builtinProfile("llama-3.1-70b-h100-tp4-fp9")).toThrow(
      /did you mean "llama-3.1-70b-h100-tp4-fp8"/,
    );
  });
});

describe("modelShape", () => {
  it.each([
    "Llama-3.1-8B",
    "meta-llama/Llama-3.1-8B",
    "llama-3.1-8b-instruct",
    "meta-llama/Meta-Llama-3.1-8B-Instruct",
  ])("knows %s", (name) => {
    expect(modelShape(name).parameters).toBe(8.03e9);
  });

  it("names the nearest for an unknown model", () => {
    expect(() => modelShape("Qwen3-33B")).toThrow(/did you mean "Qwen3-32B"/);
  });
});

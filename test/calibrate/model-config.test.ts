import { describe, expect, it } from "vitest";
import { modelByNameOrConfig } from "../../src/calibrate/model-config.js";
import { modelShape } from "../../src/engine/model-shapes.js";
import { InputError } from "../../src/errors.js";
import { folderWith } from "./files.js";

const LLAMA = {
  num_hidden_layers: 32,
  hidden_size: 4096,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  vocab_size: 128256,
  intermediate_size: 14336,
};

function config(content: object): string {
  return `${folderWith({ "some-model/config.json": JSON.stringify(content) })}/some-model/config.json`;
}

describe("modelByNameOrConfig", () => {
  it("knows models by name", () => {
    expect(modelByNameOrConfig("meta-llama/Llama-3.3-70B-Instruct").layers).toBe(80);
  });

  it("counts the same from a config.json as is known of that model", () => {
    const { parameters, kv_heads, head_dim, name } = modelByNameOrConfig(config(LLAMA));
    const known = modelShape("Llama-3.1-8B");
    expect(parameters / known.parameters).toBeCloseTo(1, 2);
    expect([kv_heads, head_dim, name]).toEqual([8, 128, "some-model"]);
  });

  it("counts all experts as parameters and those of one token as its MLP", () => {
    const { parameters, intermediate } = modelByNameOrConfig(
      config({
        num_hidden_layers: 48,
        hidden_size: 2048,
        num_attention_heads: 32,
        num_key_value_heads: 4,
        head_dim: 128,
        vocab_size: 151936,
        intermediate_size: 6144,
        moe_intermediate_size: 768,
        num_experts: 128,
        num_experts_per_tok: 8,
      }),
    );
    const known = modelShape("Qwen/Qwen3-30B-A3B-Instruct-2507");
    expect(parameters / known.parameters).toBeCloseTo(1, 2);
    expect(intermediate).toBe(known.intermediate);
  });

  it("takes a latent KV vector", () => {
    const latent = { ...LLAMA, kv_lora_rank: 512, qk_rope_head_dim: 64 };
    expect(modelByNameOrConfig(config(latent)).kv_latent_elements).toBe(576);
  });

  it.each([
    [{ ...LLAMA, hidden_size: "wide" }, /config\.json: hidden_size: /],
    [[], /config\.json: content: /],
  ])("names file and field of %j", (content, message) => {
    expect(() => modelByNameOrConfig(config(content))).toThrow(InputError);
    expect(() => modelByNameOrConfig(config(content))).toThrow(message);
  });

  it("names a file that is not there", () => {
    expect(() => modelByNameOrConfig("nowhere.json")).toThrow(/^nowhere\.json: cannot be read as JSON/);
  });
});

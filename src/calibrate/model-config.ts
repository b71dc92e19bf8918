import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { z } from "zod";
import { InputError } from "../errors.js";
import type { ModelShape } from "../engine/model-shapes.js";
import { modelOfShape, profileModel } from "../engine/profile.js";
import type { ProfileModel } from "../engine/profile.js";

const whole = z.int().positive();
const optional = whole.nullish();

/** The fields of a Hugging Face `config.json` that decide a model's shape. */
const configSchema = z.object({
  _name_or_path: z.string().nullish(),
  num_hidden_layers: whole,
  hidden_size: whole,
  num_attention_heads: whole,
  num_key_value_heads: optional,
  head_dim: optional,
  vocab_size: whole,
  intermediate_size: whole,
  moe_intermediate_size: optional,
  num_experts: optional,
  n_routed_experts: optional,
  num_local_experts: optional,
  num_experts_per_tok: optional,
  kv_lora_rank: optional,
  qk_rope_head_dim: optional,
  tie_word_embeddings: z.boolean().nullish(),
});

type Config = z.infer<typeof configSchema>;

/**
 * The model part of a profile, in 16 bits: a known model by name, or any model by the path of its `config.json`.
 * @throws InputError for an unknown name, or naming the file and field that is wrong.
 */
export function modelByNameOrConfig(nameOrFile: string): ProfileModel {
  if (!nameOrFile.endsWith(".json")) return profileModel(nameOrFile, 2, 2);
  const config = readConfig(nameOrFile);
  const name = config._name_or_path ?? basename(dirname(resolve(nameOrFile)));
  return modelOfShape(name, shapeOf(config), 2, 2);
}

function readConfig(file: string): Config {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new InputError(`${file}: cannot be read as JSON, expected a model's config.json`);
  }
  const parsed = configSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new InputError(`${file}: ${issue.path.join(".") || "content"}: ${issue.message}`);
}

/** Parameters are counted from the matrices; norms and biases, far below 1 %, are left out. */
function shapeOf(config: Config): ModelShape {
  const {
    num_hidden_layers: layers,
    hidden_size: hidden,
    num_attention_heads: heads,
    vocab_size: vocabulary,
  } = config;
  const headDim = config.head_dim ?? hidden / heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  const experts = config.num_experts ?? config.n_routed_experts ?? config.num_local_experts ?? 1;
  const expertSize =
    experts > 1 ? (config.moe_intermediate_size ?? config.intermediate_size) : config.intermediate_size;
  const attention = 2 * hidden * heads * headDim + 2 * hidden * kvHeads * headDim;
  const embeddings = (config.tie_word_embeddings === true ? 1 : 2) * vocabulary * hidden;
  return {
    layers,
    hidden,
    kvHeads,
    headDim,
    parameters: layers * (attention + 3 * hidden * expertSize * experts) + embeddings,
    vocabulary,
    intermediate: experts > 1 ? expertSize * (config.num_experts_per_tok ?? 1) : config.intermediate_size,
    kvLatentElements: config.kv_lora_rank == null ? 0 : config.kv_lora_rank + (config.qk_rope_head_dim ?? 0),
  };
}

import { InputError } from "../errors.js";
import { didYouMean } from "../values/nearest-name.js";

/** The dimensions of a model that decide how many bytes it keeps and moves. */
export interface ModelShape {
  readonly layers: number;
  readonly hidden: number;
  /** Key/value heads (GQA groups); ignored when `kvLatentElements` is set. */
  readonly kvHeads: number;
  readonly headDim: number;
  /** All parameters, experts included. */
  readonly parameters: number;
  readonly vocabulary: number;
  /** Inner size of the MLP; of one expert times experts per token for mixture-of-experts models. */
  readonly intermediate: number;
  /**
   * Multi-head latent attention keeps one vector of this many elements per token and layer instead of keys
   * and values per head, and every tensor-parallel rank keeps a copy. 0 = ordinary attention.
   */
  readonly kvLatentElements: number;
}

interface Columns {
  readonly [name: string]: readonly [
    layers: number,
    hidden: number,
    kvHeads: number,
    headDim: number,
    parameters: number,
    vocabulary: number,
    intermediate: number,
    kvLatentElements?: number,
  ];
}

/** From each model's `config.json` on the Hugging Face hub; parameters as stated by its model card. */
const SHAPES: Columns = {
  "Llama-2-7B": [32, 4096, 32, 128, 6.738e9, 32000, 11008],
  "Llama-2-13B": [40, 5120, 40, 128, 13.016e9, 32000, 13824],
  "Llama-2-70B": [80, 8192, 8, 128, 68.977e9, 32000, 28672],
  "Llama-3.1-8B": [32, 4096, 8, 128, 8.03e9, 128256, 14336],
  "Llama-3.1-70B": [80, 8192, 8, 128, 70.554e9, 128256, 28672],
  "Llama-3.1-405B": [126, 16384, 8, 128, 405.853e9, 128256, 53248],
  "Llama-3.2-1B": [16, 2048, 8, 64, 1.236e9, 128256, 8192],
  "Llama-3.2-3B": [28, 3072, 8, 128, 3.213e9, 128256, 8192],
  "Mistral-7B": [32, 4096, 8, 128, 7.248e9, 32768, 14336],
  "Mixtral-8x7B": [32, 4096, 8, 128, 46.703e9, 32000, 28672],
  "Qwen2.5-7B": [28, 3584, 4, 128, 7.616e9, 152064, 18944],
  "Qwen2.5-14B": [48, 5120, 8, 128, 14.77e9, 152064, 13824],
  "Qwen2.5-32B": [64, 5120, 8, 128, 32.764e9, 152064, 27648],
  "Qwen2.5-72B": [80, 8192, 8, 128, 72.706e9, 152064, 29568],
  "Qwen3-0.6B": [28, 1024, 8, 128, 0.596e9, 151936, 3072],
  "Qwen3-1.7B": [28, 2048, 8, 128, 1.721e9, 151936, 6144],
  "Qwen3-4B": [36, 2560, 8, 128, 4.022e9, 151936, 9728],
  "Qwen3-8B": [36, 4096, 8, 128, 8.191e9, 151936, 12288],
  "Qwen3-14B": [40, 5120, 8, 128, 14.768e9, 151936, 17408],
  "Qwen3-32B": [64, 5120, 8, 128, 32.762e9, 151936, 25600],
  "Qwen3-30B-A3B": [48, 2048, 4, 128, 30.532e9, 151936, 6144],
  "Qwen3-235B-A22B": [94, 4096, 4, 128, 235.094e9, 151936, 12288],
  "DeepSeek-V3": [61, 7168, 128, 128, 671.026e9, 129280, 18432, 576],
  "DeepSeek-R1": [61, 7168, 128, 128, 671.026e9, 129280, 18432, 576],
  "gpt-oss-20b": [24, 2880, 8, 64, 20.915e9, 201088, 11520],
  "gpt-oss-120b": [36, 2880, 8, 64, 116.829e9, 201088, 11520],
  "Phi-4": [40, 5120, 10, 128, 14.66e9, 100352, 17920],
  "Gemma-2-9B": [42, 3584, 8, 256, 9.242e9, 256000, 14336],
  "Gemma-2-27B": [46, 4608, 16, 128, 27.227e9, 256000, 36864],
  "OPT-13B": [40, 5120, 40, 128, 12.853e9, 50272, 20480],
  "OPT-66B": [64, 9216, 72, 128, 65.72e9, 50272, 36864],
  "OPT-175B": [96, 12288, 96, 128, 174.604e9, 50272, 49152],
  "BLOOM-176B": [70, 14336, 112, 128, 176.247e9, 250880, 57344],
};

/** Models of the same shape as another. */
const SAME_SHAPE: Readonly<Record<string, string>> = {
  "Llama-3-8B": "Llama-3.1-8B",
  "Llama-3-70B": "Llama-3.1-70B",
  "Llama-3.3-70B": "Llama-3.1-70B",
  "DeepSeek-R1-Distill-Llama-8B": "Llama-3.1-8B",
  "DeepSeek-R1-Distill-Llama-70B": "Llama-3.1-70B",
  "DeepSeek-R1-Distill-Qwen-7B": "Qwen2.5-7B",
  "DeepSeek-R1-Distill-Qwen-14B": "Qwen2.5-14B",
  "DeepSeek-R1-Distill-Qwen-32B": "Qwen2.5-32B",
  "QwQ-32B": "Qwen2.5-32B",
  "DeepSeek-V3.1": "DeepSeek-V3",
};

/** Names that `modelShape` knows. */
export const MODEL_SHAPES: readonly string[] = [...Object.keys(SHAPES), ...Object.keys(SAME_SHAPE)];

/**
 * The shape of a model by name. An organisation in front (`meta-llama/`), a trailing `-Instruct`, `-FP8` and
 * the like, and the case of letters make no difference.
 * @throws InputError for a name that is not known.
 */
export function modelShape(name: string): ModelShape {
  const wanted = plainName(name);
  const known = MODEL_SHAPES.find((candidate) => plainName(candidate) === wanted);
  if (known === undefined) {
    throw new InputError(
      `unknown model shape "${name}"${didYouMean(name, MODEL_SHAPES)} (known: ${MODEL_SHAPES.join(", ")})`,
    );
  }
  const [layers, hidden, kvHeads, headDim, parameters, vocabulary, intermediate, kvLatentElements] =
    SHAPES[SAME_SHAPE[known] ?? known]!;
  return {
    layers,
    hidden,
    kvHeads,
    headDim,
    parameters,
    vocabulary,
    intermediate,
    kvLatentElements: kvLatentElements ?? 0,
  };
}

function plainName(name: string): string {
  return name
    .toLowerCase()
    .replace(/^.*\//, "")
    .replace(/^(meta-|deepseek-ai-)/, "")
    .replace(/^llama-?([23])/, "llama-$1")
    .replace(/(-(instruct|chat|it|base|hf|fp8|bf16|awq|gptq|2507|v0\.\d))+$/, "");
}

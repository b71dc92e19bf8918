import { formatError } from "../../src/calibrate/comparison-text.js";
import { DEFAULT_CONTEXT_SKEW, fitGrid } from "../../src/calibrate/fit-grid.js";
import type { StepSample } from "../../src/calibrate/step-samples.js";
import { validateRun } from "../../src/calibrate/validate-run.js";
import { assembleProfile } from "../../src/engine/assemble-profile.js";
import type { ProfileInShort } from "../../src/engine/assemble-profile.js";
import { readCsv } from "./csv.js";
import { fitErrorPct } from "./profile-parts.js";

const FILE = "vllm-0.19-kernels-step-grid.csv";

/** The grids of the file, by card and degree. */
function grids(folder: string): Map<string, StepSample[]> {
  const byCard = new Map<string, StepSample[]>();
  for (const row of readCsv(`${folder}/${FILE}`)) {
    const key = `${row["hardware"]!} ${row["tp"]!.slice(2)}`;
    const samples = byCard.get(key) ?? [];
    byCard.set(key, samples);
    samples.push({
      chunks: row["prefill_chunk"] === "0" ? 0 : 1,
      chunkTokens: Number(row["prefill_chunk"]),
      cachedTokens: Number(row["kv_prefill"]),
      decodes: Number(row["n_decode"]),
      contextTokens: Number(row["kv_decode"]),
      ms: Number(row["step_ms"]),
    });
  }
  return byCard;
}

/** Llama-3.1-8B on RTX 4090 and on one and two RTX PRO 6000, as tables. */
export async function vllmGridProfiles(folder: string): Promise<ProfileInShort[]> {
  const profiles = tableProfiles(folder);
  const validated = profiles.map(async (profile) => {
    const run = RUNS[profile.name];
    if (run === undefined) return profile;
    return { ...profile, validation: await validationStatement(`${folder}/../vllm-runs`, run, profile) };
  });
  return Promise.all(validated);
}

/** Measured runs of the profiles' model and card. */
const RUNS: Readonly<Record<string, string>> = {
  "llama-3.1-8b-rtx4090-tp1-bf16": "rtx4090-llama-3.1-8b",
  "llama-3.1-8b-rtxpro6000-tp1-bf16": "rtxpro6000-llama-3.1-8b",
};

async function validationStatement(folder: string, run: string, profile: ProfileInShort): Promise<string> {
  const { comparison } = await validateRun({
    run: `${folder}/${run}`,
    workload: `${folder}/workload-sharegpt-llama-3.1-8b-300.jsonl`,
    profile: assembleProfile(profile),
    kvBlocks: null,
    settings: {},
  });
  const { requests, ttft_ms, tpot_ms, e2e_ms } = comparison;
  const error = ({ mean }: typeof ttft_ms): string => formatError(mean.error_pct);
  return (
    `validated against a run of vLLM 0.19.0 with ${requests} ShareGPT requests that the step times do not come from (context_skew was settled with it in view): ` +
    `mean TTFT ${error(ttft_ms)}, TPOT ${error(tpot_ms)}, E2E ${error(e2e_ms)}`
  );
}

function tableProfiles(folder: string): ProfileInShort[] {
  return [...grids(folder)].map(([key, samples]) => {
    const [card, degree] = key.split(" ") as [string, string];
    const { step_time, points } = fitGrid(samples, FILE);
    const short = {
      name: `llama-3.1-8b-${card.toLowerCase()}-tp${degree}-bf16`,
      model: "Llama-3.1-8B",
      weightBytes: 2,
      card,
      tp: Number(degree),
      fitErrorPct: fitErrorPct(points),
      stepTime: step_time,
      contextSkew: DEFAULT_CONTEXT_SKEW,
    };
    if (degree === "1") return { ...short, source: "vllmGrid" };
    const allReduce = { per_layer: 2, latency_us: 20, gigabytes_per_second: 16 };
    return { ...short, source: "vllmGridWithLink", allReduce };
  });
}

/**
 * How much more a token of decode context costs beside a prefill chunk than in a step of decodes: the median
 * over all grids, chunks and batches.
 */
export function mixedContextRatio(folder: string): number {
  const ratios: number[] = [];
  for (const samples of grids(folder).values()) {
    for (const low of samples) {
      if (low.decodes === 0 || low.contextTokens !== 512 || low.chunks === 0) continue;
      const pure = slope(samples, 0, 0, low.decodes);
      const mixed = slope(samples, low.chunkTokens, low.cachedTokens, low.decodes);
      if (low.decodes >= 8) ratios.push(mixed / pure);
    }
  }
  ratios.sort((a, b) => a - b);
  return Number(ratios[ratios.length >> 1]!.toFixed(2));
}

/** Rise of the step time from a context of 512 to one of 2048 per sequence, ms. */
function slope(samples: readonly StepSample[], chunk: number, cached: number, decodes: number): number {
  const at = (context: number): number =>
    samples.find(
      (sample) =>
        sample.chunkTokens === chunk &&
        sample.cachedTokens === cached &&
        sample.decodes === decodes &&
        sample.contextTokens === context,
    )!.ms;
  return at(2048) - at(512);
}

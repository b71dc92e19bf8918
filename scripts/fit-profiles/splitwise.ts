import { pointsOf } from "../../src/calibrate/fit-grid.js";
import { fitLinearDecode, fitLinearPrefill } from "../../src/calibrate/fit-step-times.js";
import { fitErrorsOf } from "../../src/calibrate/fitted-point.js";
import type { StepSample } from "../../src/calibrate/step-samples.js";
import type { ProfileInShort } from "../../src/engine/assemble-profile.js";
import { readCsv } from "./csv.js";
import { assumedMixed, fitErrorPct, rounded } from "./profile-parts.js";

const FILE = "splitwise_perf_db_medians.csv";
/** Above this mean error the prefill steps are kept as a table. */
const LINE_FITS_PCT = 5;
const MODELS: Readonly<Record<string, string>> = { "llama2-70b": "Llama-2-70B", "bloom-176b": "BLOOM-176B" };

type Row = Record<string, string>;

/**
 * Llama-2-70B and BLOOM-176B on A100 and H100. The file's `pcap` rows are the H100's times 1.3, no
 * measurement, and its two-card rows vary too much for any model: both are left out.
 */
export function splitwiseProfiles(folder: string): ProfileInShort[] {
  const groups = new Map<string, Row[]>();
  for (const row of readCsv(`${folder}/${FILE}`)) {
    if (row["hardware"]!.endsWith("pcap") || row["tensor_parallel"] === "2") continue;
    const key = [row["model"], row["hardware"], row["tensor_parallel"]].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((rows) => profileOf(rows));
}

function profileOf(rows: readonly Row[]): ProfileInShort {
  const [{ model = "", hardware: gpu = "", tensor_parallel = "" }] = rows as [Row];
  const card = gpu.startsWith("a100") ? "A100-80GB" : "H100";
  const prefills = prefillSamples(rows);
  const decodes = rows.map(decodeSample);
  const decode = rounded(fitLinearDecode(decodes));
  const line = rounded(fitLinearPrefill(prefills));
  const onLine = pointsOf("prefill", prefills, { prefill: line });
  const isTable = fitErrorsOf(onLine, "prefill").meanPct! > LINE_FITS_PCT;
  const table = {
    chunk_tokens: prefills.map((sample) => sample.chunkTokens),
    cached_tokens: [0],
    ms: prefills.map((sample) => sample.ms),
  };
  return {
    name: `${MODELS[model]!.toLowerCase()}-${card.slice(0, 4).toLowerCase()}-tp${tensor_parallel}-fp16`,
    model: MODELS[model]!,
    weightBytes: 2,
    card,
    tp: Number(tensor_parallel),
    source: isTable ? "splitwiseTable" : "splitwise",
    fitErrorPct: fitErrorPct([
      ...pointsOf("decode", decodes, { decode: [decode] }),
      ...(isTable ? [] : onLine),
    ]),
    stepTime: {
      decode: [decode],
      prefill: isTable ? table : line,
      mixed: assumedMixed(decode.per_context_token_ms),
    },
  };
}

/** Time per generated token, at the context halfway through the generation. */
function decodeSample(row: Row): StepSample {
  return {
    chunks: 0,
    chunkTokens: 0,
    cachedTokens: 0,
    decodes: Number(row["batch_size"]),
    contextTokens: Number(row["prompt_size"]) + Number(row["token_size"]) / 2,
    ms: Number(row["token_ms"]),
  };
}

/** Single prompts, one per length (repeats with longer outputs measure the same prefill). */
function prefillSamples(rows: readonly Row[]): StepSample[] {
  return rows
    .filter((row) => row["batch_size"] === "1" && row["token_size"] === "128")
    .map((row) => ({
      chunks: 1,
      chunkTokens: Number(row["prompt_size"]),
      cachedTokens: 0,
      decodes: 0,
      contextTokens: 0,
      ms: Number(row["prompt_ms"]),
    }))
    .sort((a, b) => a.chunkTokens - b.chunkTokens);
}

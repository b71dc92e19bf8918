import { leftOutDecodes, pointsOf } from "../../src/calibrate/fit-grid.js";
import { fitLinearDecode, fitLinearPrefill } from "../../src/calibrate/fit-step-times.js";
import { fitErrorsOf } from "../../src/calibrate/fitted-point.js";
import type { StepSample } from "../../src/calibrate/step-samples.js";
import { decodeTable } from "../../src/calibrate/step-tables.js";
import type { ProfileInShort } from "../../src/engine/assemble-profile.js";
import { readCsv } from "./csv.js";
import { assumedMixed, fitErrorPct, rounded } from "./profile-parts.js";

const FILE = "h100-h200-modelled-step-times.csv";
/** Above this mean error the decode steps are kept as a table. */
const LINE_FITS_PCT = 5;

type Row = Record<string, string>;

/** Llama-3.1-8B and 70B, Qwen3-32B and DeepSeek-V3 on H100 and H200. */
export function aiconfiguratorProfiles(folder: string): ProfileInShort[] {
  const groups = new Map<string, Row[]>();
  for (const row of readCsv(`${folder}/${FILE}`)) {
    if (row["extrapolated_beyond_table"] === "1") continue;
    const key = [row["model"], row["gpu"], row["weights_dtype"], row["tp"]].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((rows) => profileOf(rows));
}

function profileOf(rows: readonly Row[]): ProfileInShort {
  const [{ model = "", gpu = "", weights_dtype = "", tp = "" }] = rows as [Row];
  const modelName = model.replace("/R1", "");
  const card = gpu.replace("_sxm", "").toUpperCase();
  const weights = weights_dtype === "bfloat16" ? "bf16" : "fp8";
  const decodes = rows.filter((row) => row["phase"] === "decode").map(decodeSample);
  const prefills = rows.filter((row) => row["phase"] === "prefill").map(prefillSample);
  const line = rounded(fitLinearDecode(decodes));
  const onLine = pointsOf("decode", decodes, { decode: [line] });
  const table = decodeTable(decodes);
  const isTable = fitErrorsOf(onLine, "decode").meanPct! > LINE_FITS_PCT && table !== null;
  const prefill = rounded(fitLinearPrefill(prefills));
  return {
    name: `${modelName.toLowerCase()}-${card.toLowerCase()}-tp${tp}-${weights}`,
    model: modelName,
    weightBytes: weights === "fp8" ? 1 : 2,
    card,
    tp: Number(tp),
    source: "aiconfigurator",
    fitErrorPct: fitErrorPct([
      ...(isTable ? leftOutDecodes(decodes) : onLine),
      ...pointsOf("prefill", prefills, { prefill }),
    ]),
    stepTime: {
      decode: isTable ? table : [line],
      prefill,
      mixed: assumedMixed(line.per_context_token_ms),
    },
  };
}

function decodeSample(row: Row): StepSample {
  return {
    chunks: 0,
    chunkTokens: 0,
    cachedTokens: 0,
    decodes: Number(row["batch"]),
    contextTokens: Number(row["tokens_per_request"]),
    ms: Number(row["decode_step_latency_ms"]),
  };
}

function prefillSample(row: Row): StepSample {
  return {
    chunks: Number(row["batch"]),
    chunkTokens: Number(row["tokens_per_request"]),
    cachedTokens: Number(row["cached_prefix_tokens"]),
    decodes: 0,
    contextTokens: 0,
    ms: Number(row["prefill_latency_ms"]),
  };
}

import { namedErrors } from "../../src/calibrate/fit-grid.js";
import { NO_OVERHEADS } from "../../src/calibrate/calibrate-grid.js";
import { profileModel } from "../../src/engine/profile.js";
import type { EngineProfile } from "../../src/engine/profile.js";
import { readCsv } from "./csv.js";
import { assumedMixed, hardware, mixedAssumption, rounded } from "./profile-parts.js";

const FILE = "distserve_coefficients.csv";
const MODELS: Readonly<Record<string, string>> = {
  "facebook/opt-13b": "OPT-13B",
  "facebook/opt-66b": "OPT-66B",
};

type Row = Record<string, string>;

/** OPT-13B and OPT-66B on A100 with the coefficients that DistServe publishes for its own engine. */
export function distserveProfiles(folder: string, mixedRatio: number): EngineProfile[] {
  const rows = readCsv(`${folder}/${FILE}`).filter((row) => row["engine"] === "distserve");
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row["model"]!} ${row["tp"]!}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) => profileOf(group, mixedRatio));
}

function profileOf(rows: readonly Row[], mixedRatio: number): EngineProfile {
  const [{ model = "", tp = "", large_small_bs_threshold = "" }] = rows as [Row];
  const name = MODELS[model]!;
  const phase = (wanted: string): Row => rows.find((row) => row["phase"] === wanted)!;
  const piece = (row: Row, from_sequences: number) =>
    rounded({
      from_sequences,
      base_ms: Number(row["a_ms"]),
      per_sequence_ms: Number(row["c"]),
      per_context_token_ms: Number(row["b_ms_per_token"]),
    });
  const small = piece(phase("decoding_smallbs"), 1);
  const large = piece(phase("decoding_largebs"), Number(large_small_bs_threshold));
  const prefill = phase("prefill");
  return {
    name: `${name.toLowerCase()}-a100-tp${tp}-fp16`,
    model: profileModel(name, 2, 2),
    hardware: hardware("A100-80GB"),
    tp: Number(tp),
    source:
      "Coefficients published with DistServe (OSDI'24, Apache-2.0) for its own engine on A100-80GB, two decode lines " +
      `by batch size; it states no fit error. ${mixedAssumption(mixedRatio)}`,
    validation:
      "not validated here; DistServe reports SLO attainment within 2 points of its engine with these coefficients",
    fit_error: namedErrors([]),
    step_time: {
      decode: [small, large],
      prefill: rounded({
        floor_ms: 0,
        base_ms: Number(prefill["a_ms"]),
        per_token_ms: Number(prefill["b_ms_per_token"]),
        per_request_ms: 0,
        per_pair_ms: 2 * Number(prefill["c"]),
      }),
      mixed: assumedMixed(small.per_context_token_ms, mixedRatio),
    },
    context_skew: { decode: 0, mixed: 0 },
    all_reduce: null,
    overheads: NO_OVERHEADS,
    gpu_memory_utilization: 0.9,
    kv_capacity_tokens: null,
  };
}

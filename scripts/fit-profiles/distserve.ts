import type { ProfileInShort } from "../../src/engine/assemble-profile.js";
import { readCsv } from "./csv.js";
import { assumedMixed, fitErrorPct, rounded } from "./profile-parts.js";

const FILE = "distserve_coefficients.csv";
const MODELS: Readonly<Record<string, string>> = {
  "facebook/opt-13b": "OPT-13B",
  "facebook/opt-66b": "OPT-66B",
};

type Row = Record<string, string>;

/** OPT-13B and OPT-66B on A100 with the coefficients that DistServe publishes for its own engine. */
export function distserveProfiles(folder: string): ProfileInShort[] {
  const rows = readCsv(`${folder}/${FILE}`).filter((row) => row["engine"] === "distserve");
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row["model"]!} ${row["tp"]!}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) => profileOf(group));
}

function profileOf(rows: readonly Row[]): ProfileInShort {
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
    model: name,
    weightBytes: 2,
    card: "A100-80GB",
    tp: Number(tp),
    source: "distserve",
    validation:
      "not validated here; DistServe reports SLO attainment within 2 points of its engine with these coefficients",
    fitErrorPct: fitErrorPct([]),
    stepTime: {
      decode: [small, large],
      prefill: rounded({
        floor_ms: 0,
        base_ms: Number(prefill["a_ms"]),
        per_token_ms: Number(prefill["b_ms_per_token"]),
        per_request_ms: 0,
        per_pair_ms: 2 * Number(prefill["c"]),
      }),
      mixed: assumedMixed(small.per_context_token_ms),
    },
  };
}

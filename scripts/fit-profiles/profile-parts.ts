import type { EngineProfile } from "../../src/engine/profile.js";
import { ASSUMED_MIXED_RATIO } from "../../src/engine/assemble-profile.js";
import type { ProfileInShort } from "../../src/engine/assemble-profile.js";
import { fitErrorsOf } from "../../src/calibrate/fitted-point.js";
import type { FittedPoint } from "../../src/calibrate/fitted-point.js";

/** Four significant digits: more than any of the sources carries. */
export function rounded<Terms extends object>(terms: Terms): Terms {
  return Object.fromEntries(
    Object.entries(terms).map(([name, value]) => [
      name,
      typeof value === "number" ? Number(value.toPrecision(4)) : value,
    ]),
  ) as Terms;
}

/** Decode attention in a mixed step where the source measured none. */
export function assumedMixed(perContextTokenMs: number): EngineProfile["step_time"]["mixed"] {
  return rounded({
    per_sequence_ms: 0,
    per_context_token_ms: perContextTokenMs * ASSUMED_MIXED_RATIO,
  });
}

/** Mean and largest errors of the three kinds of step. */
export function fitErrorPct(points: readonly FittedPoint[]): ProfileInShort["fitErrorPct"] {
  const errors = (kind: FittedPoint["kind"]) => {
    const { meanPct, maxPct } = fitErrorsOf(points, kind);
    return [meanPct, maxPct] as const;
  };
  return [errors("decode"), errors("prefill"), errors("mixed")];
}

import { knownCard } from "../../src/engine/hardware.js";
import type { EngineProfile } from "../../src/engine/profile.js";

/** What a source without a measured end-to-end run says of itself. */
export const NOT_VALIDATED = "not validated: no measured run of this model on this card was at hand";

/** The hardware part for a known card. */
export function hardware(name: string): EngineProfile["hardware"] {
  const known = knownCard(name);
  if (known === null) throw new Error(`unknown card ${name}`);
  return { name: known.name, memory_bytes: known.card.memoryBytes };
}

/** Four significant digits: more than any of the sources carries. */
export function rounded<Terms extends object>(terms: Terms): Terms {
  return Object.fromEntries(
    Object.entries(terms).map(([name, value]) => [
      name,
      typeof value === "number" ? Number(value.toPrecision(4)) : value,
    ]),
  ) as Terms;
}

/** Decode attention in a mixed step where the source measured none: the decode line's slope times `ratio`. */
export function assumedMixed(perContextTokenMs: number, ratio: number): EngineProfile["step_time"]["mixed"] {
  return rounded({ per_sequence_ms: 0, per_context_token_ms: perContextTokenMs * ratio });
}

/** The sentence that goes with `assumedMixed`. */
export function mixedAssumption(ratio: number): string {
  return (
    `Mixed steps were not measured: decode context is charged ${ratio.toFixed(2)} times as in a pure decode step, ` +
    `the median of vLLM 0.19's kernels on RTX 4090 and RTX PRO 6000.`
  );
}

import { ASSUMED_MIXED_RATIO } from "../engine/assemble-profile.js";
import { knownCard } from "../engine/hardware.js";
import { kvBytesPerTokenAndCard } from "../engine/profile.js";
import type { EngineProfile } from "../engine/profile.js";
import { LINEAR_COEFFICIENTS } from "./linear-terms.js";
import type { Observation } from "./robust-fit.js";

/** How much a belief counts beside a measured request; enough to choose where requests cannot tell. */
const WEIGHT = 0.1;

/**
 * What the card's memory and arithmetic suggest of the linear coefficients, as weak observations: reading the
 * weights, reading the KV, multiplying by the weights. Empty for an unknown card.
 */
export function rooflineBeliefs(profile: EngineProfile, terms: number): Observation[] {
  const known = knownCard(profile.hardware.name);
  if (known === null) return [];
  const { model, tp } = profile;
  const { layers, hidden, kv_heads, head_dim, intermediate, vocabulary, weight_bytes } = model;
  const perLayer = 2 * hidden * hidden + 2 * hidden * kv_heads * head_dim + 3 * hidden * intermediate;
  const active = (layers * perLayer + hidden * vocabulary) / tp;
  const flopsPerMs = (weight_bytes === 1 ? known.card.fp8Tflops : known.card.bf16Tflops) * 1e9;
  const bytesPerMs = known.card.memoryGigabytesPerSecond * 1e6;
  const readWeightsMs = (active * weight_bytes) / bytesPerMs;
  const readContextMs = kvBytesPerTokenAndCard(profile) / bytesPerMs;
  const beliefs: Partial<Record<(typeof LINEAR_COEFFICIENTS)[number], number>> = {
    "decode base_ms": readWeightsMs,
    "decode per_context_token_ms": readContextMs,
    "prefill base_ms": readWeightsMs,
    "prefill per_token_ms": (2 * active) / flopsPerMs,
    "prefill per_pair_ms": (4 * hidden * layers) / tp / flopsPerMs,
    "mixed per_context_token_ms": ASSUMED_MIXED_RATIO * readContextMs,
  };
  return LINEAR_COEFFICIENTS.flatMap((name, j) => {
    const target = beliefs[name];
    if (target === undefined) return [];
    return [{ terms: Array.from({ length: terms }, (_, k) => (k === j ? 1 : 0)), target, weight: WEIGHT }];
  });
}

import { number, type Values } from "./parameters.js";

/**
 * Parameters of an estimate of prefill time. The defaults fit Llama-3.1-70B FP8 on four H100 (aiconfigurator
 * 0.11 tables: 31, 111 and 399 ms for 512, 2,048 and 8,192 tokens).
 */
export const PREFILL_TIME = [
  number("prefill_base_ms", 8, { min: 0, unit: "ms" }, "Estimated time of a prefill before its first token."),
  number("prefill_ms_per_token", 0.045, { min: 0, unit: "ms" }, "Estimated time of each token to compute."),
  number(
    "prefill_ms_per_token_pair",
    4.5e-7,
    { min: 0, unit: "ms" },
    "Estimated time of n tokens to compute on c cached ones, for each of n * (n + 2c).",
  ),
] as const;

/** Estimated time to compute `tokens` prompt tokens of which `cached` are held, ms. */
export function prefillMs(params: Values<typeof PREFILL_TIME>, tokens: number, cached: number): number {
  const computed = tokens - cached;
  return (
    params.prefill_base_ms +
    params.prefill_ms_per_token * computed +
    params.prefill_ms_per_token_pair * computed * (computed + 2 * cached)
  );
}

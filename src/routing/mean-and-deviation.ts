import type { LedgerView, Worker } from "./types.js";

/** Mean and population standard deviation of the candidates' open requests. */
export function openMeanAndDeviation(
  candidates: readonly Worker[],
  ledger: LedgerView,
): { readonly mean: number; readonly deviation: number } {
  let sum = 0;
  let squares = 0;
  for (const { index } of candidates) {
    const open = ledger.open(index);
    sum += open;
    squares += open * open;
  }
  const mean = sum / candidates.length;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / candidates.length - mean * mean)) };
}

import type { LedgerView, Worker } from "./types.js";

/** Mean and sample standard deviation (0 for one candidate) of the candidates' open requests, as in AIBrix. */
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
  const freedom = Math.max(1, candidates.length - 1);
  return { mean, deviation: Math.sqrt(Math.max(0, squares - sum * mean) / freedom) };
}

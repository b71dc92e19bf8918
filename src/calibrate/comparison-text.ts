import { formatNumber, MISSING } from "../report/format.js";
import { textTable, wrap } from "../report/text-table.js";
import type { TextColumn } from "../report/text-table.js";
import { COMPARED } from "./compare-runs.js";
import type { Comparison, RunComparison } from "./compare-runs.js";

const COLUMNS: readonly TextColumn[] = [
  { group: "", header: "", align: "left" },
  { group: "", header: "measured", align: "right" },
  { group: "", header: "predicted", align: "right" },
  { group: "", header: "error", align: "right" },
];

/** Every figure of a comparison, named as a person reads it. */
export function comparisonRows(comparison: RunComparison): readonly (readonly [string, Comparison])[] {
  const { ttft_ms, tpot_ms, e2e_ms, throughput } = comparison;
  const latencies = { "TTFT, ms": ttft_ms, "TPOT, ms": tpot_ms, "E2E, ms": e2e_ms };
  return [
    ...Object.entries(latencies).flatMap(([name, figures]) =>
      COMPARED.map((figure) => [`${name}: ${figure}`, figures[figure]] as const),
    ),
    ["requests/s", throughput.requests_per_s],
    ["output tokens/s", throughput.output_tokens_per_s],
    ["running, mean", comparison.running],
    ["waiting, mean", comparison.waiting],
    ["preemptions", comparison.preemptions],
  ];
}

/** A signed error: `+0.6 %`. */
export function formatError(errorPct: number | null): string {
  if (errorPct === null) return MISSING;
  return `${errorPct > 0 ? "+" : ""}${errorPct.toFixed(1)} %`;
}

/** The comparison as lines for a terminal of 100 columns. */
export function comparisonText(comparison: RunComparison): string {
  const rows = comparisonRows(comparison).map(([name, { measured, predicted, error_pct }]) => [
    name,
    formatNumber(measured),
    formatNumber(predicted),
    formatError(error_pct),
  ]);
  const table = textTable(COLUMNS, rows);
  const notes = comparison.notes.flatMap((note) => wrap(note, 100));
  const summary =
    `${comparison.requests} requests with profile ${comparison.profile}, ` +
    `simulated in ${formatNumber(comparison.wall_s)} s`;
  return [summary, "", ...table.header, ...table.rows, "", ...notes, ""].join("\n");
}

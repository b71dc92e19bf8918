import { type Chart, CONTAINER } from "../report/charts/chart.js";
import { formatNumber } from "../report/format.js";
import { escapeHtml } from "../report/html/escape.js";
import { chartGrid, definitions, htmlPage, legend, sortableTable } from "../report/html/page.js";
import type { Calibration } from "./calibrate-grid.js";
import { fitErrorsOf } from "./fitted-point.js";
import type { FittedKind } from "./fitted-point.js";

const KINDS: readonly FittedKind[] = ["decode", "prefill", "mixed"];

/** A page with the fit's residuals, errors and warnings, to lie beside the profile. */
export async function calibrationPage({ profile, points, warnings }: Calibration): Promise<string> {
  const kinds = KINDS.filter((kind) => points.some((point) => point.kind === kind));
  const body = `<h1>${escapeHtml(profile.name)}</h1>
${definitions([
  ["source", escapeHtml(profile.source)],
  ["model", escapeHtml(`${profile.model.name}, ${profile.tp} x ${profile.hardware.name}`)],
  ["validation", escapeHtml(profile.validation)],
])}
<h2>Warnings</h2>
${warnings.length === 0 ? "<p>None.</p>" : warnings.map((warning) => `<p class="note">${escapeHtml(warning)}</p>`).join("\n")}
<h2>Residuals</h2>
<p>Predicted against measured, in percent. Points of tables were left out of the table that predicts them.</p>
${legend(kinds, "bar")}
${chartGrid([residualChart(points)], "wide")}
<h2>Errors</h2>
${errorTable(points, kinds)}`;
  return htmlPage(`${profile.name}: fit`, body);
}

function residualChart(points: Calibration["points"]): Chart {
  const values = points.map(({ kind, measuredMs, predictedMs, text }) => ({
    kind,
    measured: measuredMs,
    error: (100 * (predictedMs - measuredMs)) / measuredMs,
    text,
  }));
  return {
    id: "residuals",
    title: "Error of the fit",
    caption: "One point for each measurement; above the line the profile is too slow, below it too fast.",
    spec: {
      ...CONTAINER,
      height: 320,
      data: { values },
      layer: [
        {
          data: { values: [{ zero: 0 }] },
          mark: "rule",
          encoding: { y: { field: "zero", type: "quantitative" } },
        },
        {
          mark: { type: "point", filled: true, opacity: 0.7 },
          encoding: {
            x: { field: "measured", type: "quantitative", title: "measured, ms", scale: { type: "log" } },
            y: { field: "error", type: "quantitative", title: "error, %" },
            color: { field: "kind", type: "nominal", sort: [...KINDS], legend: null },
            tooltip: [
              { field: "text", title: "measurement" },
              { field: "measured", title: "measured, ms", format: ".1f" },
              { field: "error", title: "error, %", format: ".1f" },
            ],
          },
        },
      ],
    },
  };
}

function errorTable(points: Calibration["points"], kinds: readonly FittedKind[]): string {
  const columns = ["", "points", "mean error, %", "largest error, %"].map((header, i) => ({
    header,
    isText: i === 0,
  }));
  const rows = kinds.map((kind) => {
    const { meanPct, maxPct } = fitErrorsOf(points, kind);
    const count = points.filter((point) => point.kind === kind).length;
    return {
      isMarked: false,
      cells: [
        { text: kind, sortBy: kind },
        { text: String(count), sortBy: count },
        { text: formatNumber(meanPct), sortBy: meanPct ?? 0 },
        { text: formatNumber(maxPct), sortBy: maxPct ?? 0 },
      ],
    };
  });
  return sortableTable(columns, rows);
}

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import type { Chart } from "./charts/chart.js";
import { chartPng, chartSvg, rowsOf, standaloneSpec } from "./charts/render-chart.js";

/** Forms of the charts of a Markdown report. */
export const CHART_FORMATS = ["svg", "png"] as const;
export type ChartFormat = (typeof CHART_FORMATS)[number];

/** A chart that lies beside a Markdown report. */
export interface LinkedChart {
  readonly chart: Chart;
  /** Relative to the report. */
  readonly path: string;
}

/** Writes each chart as a picture into `directory`; paths are as seen from the folder above it. */
export async function writeChartPictures(
  charts: readonly Chart[],
  format: ChartFormat,
  directory: string,
  linkFolder: string,
): Promise<readonly LinkedChart[]> {
  await mkdir(directory, { recursive: true });
  const linked: LinkedChart[] = [];
  for (const chart of charts) {
    const file = `${chart.id}.${format}`;
    await writeFile(join(directory, file), format === "svg" ? await chartSvg(chart) : await chartPng(chart));
    linked.push({ chart, path: `${linkFolder}/${file}` });
  }
  return linked;
}

/**
 * Writes each chart as a Vega-Lite specification that stands alone (`ID.vl.json`) with its data beside it (`ID.csv`).
 * @returns the files
 */
export async function writeChartSpecs(
  charts: readonly Chart[],
  directory: string,
): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true });
  const files: string[] = [];
  for (const chart of charts) {
    const spec = join(directory, `${chart.id}.vl.json`);
    const data = join(directory, `${chart.id}.csv`);
    await writeFile(spec, `${JSON.stringify(standaloneSpec(chart), null, 2)}\n`);
    await writeFile(data, chartCsv(chart));
    files.push(spec, data);
  }
  return files;
}

/** The data of a chart as CSV, with a column for each field that any row has. */
export function chartCsv(chart: Chart): string {
  const rows = rowsOf(chart);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return stringify([columns, ...rows.map((row) => columns.map((column) => row[column] ?? ""))], {
    cast: { boolean: String },
    escape_formulas: true,
  });
}

/** Charts as a section of a Markdown report. */
export function chartsMarkdown(linked: readonly LinkedChart[]): string {
  const sections = linked.map(
    ({ chart: { title, caption }, path }) =>
      `### ${title.replaceAll(/[\\`*<>[\]]/g, "\\$&")}\n\n![${title.replaceAll(/[[\]]/g, "")}. ${caption.replaceAll(/[[\]]/g, "")}](${encodeURI(path)})`,
  );
  return `\n## Charts\n\n${sections.join("\n\n")}\n`;
}

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { parquetReadObjects } from "hyparquet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  chartCsv,
  chartsMarkdown,
  writeChartPictures,
  writeChartSpecs,
} from "../../src/report/chart-files.js";
import { chartPng, chartSvg, rowsOf } from "../../src/report/charts/render-chart.js";
import { runCharts } from "../../src/report/charts/run-charts.js";
import { sweepCharts } from "../../src/report/charts/sweep-charts.js";
import { comparisonCharts } from "../../src/report/charts/comparison-charts.js";
import { compareRunsSideBySide } from "../../src/report/comparison/compare.js";
import { recommend } from "../../src/report/recommendation.js";
import { requestsParquet } from "../../src/report/requests-parquet.js";
import { reportContent } from "../../src/report/write-report.js";
import { comparedRun } from "./comparison-builder.js";
import { runReport } from "./run-report-builder.js";
import { realisticSweep } from "./sweep-builder.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pdbench-charts-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const sweep = realisticSweep([0, 2048, 8192]);
const reports = [
  ["a sweep", () => sweepCharts(sweep, recommend(sweep)!)],
  ["a run", () => runCharts(runReport())],
  ["a comparison", () => comparisonCharts(compareRunsSideBySide([comparedRun("a"), comparedRun("b")]))],
] as const;

describe("charts without a browser", () => {
  it.each(reports)(
    "of %s are drawn, with marks, a title and a legend where there are series",
    async (_, make) => {
      const charts = make();
      expect(new Set(charts.map(({ id }) => id)).size).toBe(charts.length);
      for (const chart of charts) {
        const svg = await chartSvg(chart);
        expect(svg, chart.id).toContain(chart.title.slice(0, 20).replaceAll("&", "&amp;"));
        expect(
          svg.match(/aria-roledescription="[^"]*mark"|class="mark-(line|area|rect|symbol|rule)/g)!.length,
          chart.id,
        ).toBeGreaterThan(0);
        const hasSeries = /"(color|shape)":\{"field":"(series|run|worker|stage)"/.test(
          JSON.stringify(chart.spec),
        );
        if (hasSeries) expect(svg, chart.id).toContain("role-legend");
      }
    },
  );

  it("are the same bytes for the same chart, as SVG and as PNG", async () => {
    const [chart] = runCharts(runReport());
    expect(await chartSvg(chart!)).toBe(await chartSvg(chart!));
    const png = await chartPng(chart!);
    expect([...png.subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
    expect(Buffer.compare(png, await chartPng(chart!))).toBe(0);
  });

  it("are written beside Markdown that shows them", async () => {
    const charts = runCharts(runReport()).slice(0, 2);
    const linked = await writeChartPictures(charts, "svg", join(directory, "report.charts"), "report.charts");
    const markdown = chartsMarkdown(linked);
    const links = [...markdown.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path!);
    expect(links).toHaveLength(2);
    for (const link of links)
      expect((await readFile(join(directory, link), "utf8")).startsWith("<svg")).toBe(true);
  });

  it("are specifications that stand alone, with their data beside them", async () => {
    const charts = sweepCharts(sweep, recommend(sweep)!);
    await writeChartSpecs(charts, directory);
    expect(await readdir(directory)).toHaveLength(2 * charts.length);
    const spec = JSON.parse(await readFile(join(directory, "pareto.vl.json"), "utf8")) as {
      width: number;
      title: { text: string };
      data: { values: unknown[] };
    };
    expect(spec).toMatchObject({ width: 720, title: { text: "TTFT against ITL" } });
    expect(parse(await readFile(join(directory, "pareto.csv"), "utf8"), { columns: true })).toHaveLength(
      spec.data.values.length,
    );
  });

  it("give as CSV what they draw", () => {
    const chart = runCharts(runReport()).find(({ id }) => id === "time-breakdown-whole-request")!;
    const rows: Record<string, string>[] = parse(chartCsv(chart), { columns: true });
    expect(rows.map((row) => Number(row["ms"]))).toEqual(rowsOf(chart).map((row) => row["ms"]));
  });
});

describe("requests as Parquet", () => {
  it("read back as they are in requests.csv, with the name of their run", async () => {
    const { requests } = runReport();
    const bytes = requestsParquet([
      { run: "a", requests: requests! },
      { run: "b", requests: requests!.slice(0, 1) },
    ]);
    const rows = await parquetReadObjects({ file: bytes.buffer as ArrayBuffer });
    expect(rows).toHaveLength(501);
    const last = requests![0]!;
    expect(rows[500]).toMatchObject({
      run: "b",
      id: 0n,
      input_tokens: BigInt(last.inputTokens),
      session: null,
      ttft_ms: last.ttftMs,
      decode_worker: last.decodeWorker,
      status: "completed",
    });
    const alone = requests!.findIndex(({ path }) => path === "decode_only");
    expect(rows[alone]).toMatchObject({ kv_transfer_ms: null, prefill_worker: null });
  });

  it("are refused of a sweep, which keeps none", async () => {
    const report = { kind: "sweep", sweep, recommendation: recommend(sweep) } as const;
    await expect(reportContent(report, "parquet")).rejects.toThrow(/which a sweep does not keep/);
  });
});

import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../errors.js";
import type { OptimizeResult } from "../sweep/search/optimize.js";
import type { SweepResult } from "../sweep/sweep-result.js";
import type { Chart } from "./charts/chart.js";
import { comparisonCharts } from "./charts/comparison-charts.js";
import { runCharts, type RunReport } from "./charts/run-charts.js";
import { searchChart } from "./charts/search-results.js";
import { sweepCharts } from "./charts/sweep-charts.js";
import { compareRunsSideBySide, type Comparison } from "./comparison/compare.js";
import { readComparedRuns } from "./comparison/compared-runs.js";
import { comparisonCsv, comparisonJson, comparisonMarkdown, sidesOf } from "./comparison/comparison-files.js";
import { comparisonPage } from "./html/comparison-page.js";
import { readDecisions } from "./explain-request.js";
import { sampleRequests } from "./html/request-sample.js";
import { runPage } from "./html/run-page.js";
import { searchPage } from "./html/search-page.js";
import { sweepPage } from "./html/sweep-page.js";
import { runMarkdown, sweepMarkdown } from "./markdown.js";
import { reportCsv } from "./report-csv.js";
import { checkNames, compareResults, type Results } from "./read-results.js";
import { recommend, type Recommendation, type RecommendOptions } from "./recommendation.js";
import { reportJson } from "./report-json.js";
import { type NamedRequests, requestsParquet } from "./requests-parquet.js";
import { readRequests, readTimeline } from "./run-files-reader.js";
import { searchWords, sweepPointOf } from "./search-words.js";

/** Forms in which a report is text; also the names of the files' endings. */
export const REPORT_FORMATS = ["html", "md", "csv", "json"] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** Forms in which a report is written to a file. */
export const FILE_FORMATS = [...REPORT_FORMATS, "parquet"] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

/** A report, ready to be written or printed. */
export type Report =
  | { readonly kind: "comparison"; readonly comparison: Comparison }
  | { readonly kind: "run"; readonly run: Extract<Results, { kind: "run" }> }
  | {
      readonly kind: "sweep";
      readonly sweep: SweepResult;
      readonly recommendation: Recommendation | null;
      /** The search that the sweep is the end of. */
      readonly search?: OptimizeResult;
    };

/** A report that says which settings to take. */
export type RecommendingReport = Exclude<Report, { kind: "comparison" }>;

type RunResults = Extract<Results, { kind: "run" }>;

/**
 * What results are reported as: a single run by itself, runs held against each other request by request, and
 * anything with a sweep in it as one sweep.
 * @throws InputError for an unknown objective or baseline, or an objective where nothing is recommended
 */
export async function reportOn(all: readonly Results[], options: RecommendOptions): Promise<Report> {
  const runs = all.filter((one): one is RunResults => one.kind === "run");
  if (all.length > 1 && runs.length === all.length) {
    if (options.objective !== undefined) {
      throw new InputError("--objective: does not apply to runs, which are compared in every figure");
    }
    checkNames(all);
    return {
      kind: "comparison",
      comparison: compareRunsSideBySide(await readComparedRuns(runs), options.baseline),
    };
  }
  return recommendationOn(all, options);
}

/**
 * Results as something that recommends settings: a single run those it ran with, anything else the best point.
 * @throws InputError for an unknown objective or baseline
 */
export function recommendationOn(all: readonly Results[], options: RecommendOptions): RecommendingReport {
  const [only] = all;
  const isAlone = all.length === 1 && only?.kind === "run" && options.baseline === undefined;
  if (isAlone) return { kind: "run", run: only };
  const search = all.length === 1 && only?.kind === "sweep" ? only.search : null;
  return reportOnSweep(compareResults(all), options, search);
}

/**
 * The report of one sweep.
 *
 * @param search the one that the sweep is the end of; its answer stands unless another objective is asked for
 */
export function reportOnSweep(
  sweep: SweepResult,
  options: RecommendOptions = {},
  search: OptimizeResult | null = null,
): Extract<Report, { kind: "sweep" }> {
  const isAnswer = options.objective === undefined || options.objective === search?.objective.metric;
  if (search === null || !isAnswer)
    return { kind: "sweep", sweep, recommendation: recommend(sweep, options) };
  const point = sweepPointOf(search.recommended ?? search.points[0], sweep);
  const found = recommend(
    sweep,
    { ...options, objective: search.objective.metric },
    point === null ? null : { point, axes: search.axes },
  );
  const recommendation = found && { ...found, words: searchWords(search, sweep, found.words) };
  return { kind: "sweep", sweep, recommendation, search };
}

/** What the report of a search says, in sentences: also where none of its points has a result. */
export function searchAnswer(
  search: OptimizeResult,
  { sweep, recommendation }: Pick<Extract<Report, { kind: "sweep" }>, "sweep" | "recommendation">,
): readonly string[] {
  return recommendation?.words ?? searchWords(search, sweep, []);
}

const COMPARISON_FORMS: Readonly<Record<ReportFormat, (one: Comparison) => string | Promise<string>>> = {
  html: comparisonPage,
  md: comparisonMarkdown,
  csv: comparisonCsv,
  json: comparisonJson,
};

/** Text of a report in one form; the CSV and JSON of a single run are its own files' figures. */
export async function reportText(report: Report, format: ReportFormat): Promise<string> {
  if (report.kind === "comparison") return COMPARISON_FORMS[format](report.comparison);
  if (report.kind === "run") {
    const { name, summary } = report.run;
    if (format === "html") return runPage(await filesOf(report.run));
    if (format === "md") return runMarkdown(name, summary);
    const { sweep, recommendation } = reportOnSweep(compareResults([report.run]));
    return format === "csv" ? reportCsv(sweep, recommendation) : reportJson(sweep, recommendation);
  }
  const { sweep, recommendation, search } = report;
  switch (format) {
    case "html":
      if (search !== undefined && search.goal !== "best") {
        return searchPage(search, sweep, recommendation, searchAnswer(search, report));
      }
      return sweepPage(sweep, recommendation);
    case "md":
      return sweepMarkdown(sweep, recommendation);
    case "csv":
      return reportCsv(sweep, recommendation);
    case "json":
      return reportJson(sweep, recommendation);
  }
}

/** What a report is in one form; Parquet has the requests of runs, a row each. */
export async function reportContent(report: Report, format: FileFormat): Promise<string | Uint8Array> {
  return format === "parquet" ? requestsParquet(await requestsOf(report)) : reportText(report, format);
}

/** Every chart of a report, in the order of its page. */
export async function chartsOf(report: Report): Promise<readonly Chart[]> {
  switch (report.kind) {
    case "run":
      return runCharts(await filesOf(report.run));
    case "comparison":
      return comparisonCharts(report.comparison);
    case "sweep":
      if (report.search !== undefined && report.search.goal !== "best") return [searchChart(report.search)];
      return report.recommendation === null ? [] : sweepCharts(report.sweep, report.recommendation);
  }
}

async function requestsOf(report: Report): Promise<readonly NamedRequests[]> {
  if (report.kind === "sweep") {
    throw new InputError(
      "--format parquet: has a row for each request, which a sweep does not keep; expected directories of runs",
    );
  }
  const runs =
    report.kind === "run"
      ? [await filesOf(report.run)]
      : sidesOf(report.comparison).flatMap((side) => side.runs);
  return runs.map(({ name, requests }) => {
    if (requests !== null) return { run: name, requests };
    throw new InputError(`--format parquet: ${name} has no requests.csv, expected a run written with --out`);
  });
}

/** Charts and page want the same files, which are read once. */
const read = new WeakMap<RunResults, Promise<RunReport>>();

/** The files of a run's directory, for its page, its charts and its rows. */
export function filesOf(run: RunResults): Promise<RunReport> {
  const known = read.get(run);
  if (known !== undefined) return known;
  const files = readFiles(run);
  read.set(run, files);
  return files;
}

async function readFiles({ name, summary, directory }: RunResults): Promise<RunReport> {
  const [requests, timeline] = await Promise.all([readRequests(directory), readTimeline(directory)]);
  const shown = new Set(sampleRequests(requests ?? []).rows.map(({ id }) => id));
  const logged = await readDecisions(directory, shown);
  const decided = { decisions: logged?.byRequest ?? null, legDecisions: logged?.legs ?? null };
  return { name, summary, requests, timeline, ...decided };
}

/** Writes a file whole or not at all, and the folders above it. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.partial`, content);
  await rename(`${path}.partial`, path);
}

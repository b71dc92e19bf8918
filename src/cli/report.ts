import { basename, dirname, extname, join } from "node:path";
import { Command, Option } from "commander";
import { InputError } from "../errors.js";
import {
  CHART_FORMATS,
  type ChartFormat,
  chartsMarkdown,
  type LinkedChart,
  writeChartPictures,
  writeChartSpecs,
} from "../report/chart-files.js";
import { emitReport } from "../report/emit/emit-results.js";
import { EMIT_TARGETS } from "../report/emit/targets.js";
import { renderComparison } from "../report/comparison/render-comparison.js";
import { METRIC_NAMES } from "../report/metrics.js";
import { readResults } from "../report/read-results.js";
import { renderRunCharts } from "../report/render-run-charts.js";
import { renderSummary } from "../report/render-summary.js";
import { renderSweepTable } from "../report/render-sweep-table.js";
import { type TerminalOptions, terminalOptionsOf } from "../report/terminal-style.js";
import {
  chartsOf,
  filesOf,
  recommendationOn,
  type Report,
  FILE_FORMATS,
  reportContent,
  type FileFormat,
  reportOn,
  searchAnswer,
  writeWhole,
} from "../report/write-report.js";
import { optimizeText } from "./optimize-text.js";
import { didYouMean } from "../values/nearest-name.js";

const HELP = `
Examples:
  $ pdbench report results                          the report of a sweep or a run, to results/report.html
  $ pdbench report results --format html,md,csv     the same figures in other forms beside it
  $ pdbench report before after --out compare.html  what differs, paired by request (runs) or by seed (sweeps)
  $ pdbench report a-1 a-2 a-3 b-1 b-2 b-3           runs of the same settings under several seeds stand together
  $ pdbench report results --format md --charts svg  Markdown for a pull request, pictures in results/report.charts
  $ pdbench report results --specs charts            each chart as a Vega-Lite specification and its data as CSV
  $ pdbench report run --format parquet              the requests of a run, for notebooks
  $ pdbench report results --emit vllm-router        the recommended settings as that product's command line

Objectives: ${METRIC_NAMES.join(", ")}
`;

interface ReportOptions {
  readonly out?: string;
  readonly baseline?: string;
  readonly objective?: string;
  readonly format: string;
  readonly charts?: ChartFormat;
  readonly specs?: string;
  readonly emit?: string;
}

/** `pdbench report DIR...`: reads what runs and sweeps wrote; prints the table, writes the report files. */
export function reportCommand(): Command {
  return new Command("report")
    .description(
      "Makes a report from the directories of runs and sweeps: HTML that works offline, Markdown, CSV, JSON, Parquet.",
    )
    .argument("<dir...>", "what `pdbench simulate --out` or `pdbench sweep --out` wrote")
    .option("--out <FILE>", "where the report goes (default: report.html in DIR, or here for several)")
    .option("--baseline <NAME>", "point to compare with, by number or name (default: always-disaggregate)")
    .option("--objective <METRIC>", "what to recommend by (default: goodput)")
    .option(
      "--format <LIST>",
      `any of ${FILE_FORMATS.join(",")}; the ending of --out changes accordingly`,
      "html",
    )
    .addOption(
      new Option("--charts <FORM>", "draw the charts into the Markdown, as pictures beside it").choices(
        CHART_FORMATS,
      ),
    )
    .option("--specs <DIR>", "also write each chart there, as Vega-Lite and its data as CSV")
    .option(
      "--emit <PRODUCT>",
      `print the recommended settings for ${EMIT_TARGETS.map(({ name }) => name).join(", ")}; writes no report`,
    )
    .addHelpText("after", HELP)
    .action(async (directories: string[], options: ReportOptions, command: Command) => {
      const formats = formatsOf(options.format);
      if (options.charts !== undefined && !formats.includes("md")) {
        throw new InputError(`--charts ${options.charts}: applies to --format md, which is not asked for`);
      }
      const results = [];
      for (const directory of directories) results.push(await readResults(directory));
      const choice = {
        ...(options.baseline === undefined ? {} : { baseline: options.baseline }),
        ...(options.objective === undefined ? {} : { objective: options.objective }),
      };
      if (options.emit !== undefined) {
        refuseReportFlags(command);
        process.stdout.write(emitReport(recommendationOn(results, choice), options.emit));
        return;
      }
      const report = await reportOn(results, choice);
      const out =
        options.out ?? (directories.length === 1 ? join(directories[0]!, "report.html") : "report.html");
      const written: string[] = [];
      for (const format of formats) {
        const path = pathFor(out, format, formats.length);
        const charts = format === "md" ? options.charts : undefined;
        const pictures = charts === undefined ? [] : await picturesBeside(path, report, charts);
        const content = await reportContent(report, format);
        await writeWhole(
          path,
          pictures.length === 0 ? content : `${content as string}${chartsMarkdown(pictures)}`,
        );
        written.push(path);
      }
      if (options.specs !== undefined) {
        const files = await writeChartSpecs(await chartsOf(report), options.specs);
        written.push(`${files.length} files of charts in ${options.specs}`);
      }
      const terminal = terminalOptionsOf(process.stdout, process.env);
      process.stdout.write(await renderReport(report, terminal));
      for (const path of written) process.stderr.write(`Wrote ${path}\n`);
    });
}

/** Draws the charts into a folder named after the Markdown file, so that both can be moved or committed together. */
async function picturesBeside(
  path: string,
  report: Report,
  form: ChartFormat,
): Promise<readonly LinkedChart[]> {
  const folder = `${basename(path, extname(path))}.charts`;
  return writeChartPictures(await chartsOf(report), form, join(dirname(path), folder), folder);
}

async function renderReport(report: Report, terminal: TerminalOptions): Promise<string> {
  switch (report.kind) {
    case "run":
      return (
        renderSummary(report.run.summary, terminal) + renderRunCharts(await filesOf(report.run), terminal)
      );
    case "comparison":
      return renderComparison(report.comparison, terminal);
    case "sweep":
      if (report.search !== undefined && report.search.goal !== "best") {
        return optimizeText(report.search, searchAnswer(report.search, report));
      }
      return renderSweepTable(report.sweep, report.recommendation, terminal);
  }
}

/** @throws InputError for flags that say where a report goes, where none is written. */
function refuseReportFlags(command: Command): void {
  for (const flag of ["out", "format", "charts", "specs"]) {
    if (command.getOptionValueSource(flag) !== "cli") continue;
    throw new InputError(`--${flag}: does not apply with --emit, which prints settings and writes no report`);
  }
}

function formatsOf(list: string): readonly FileFormat[] {
  const formats = [...new Set(list.split(",").map((format) => format.trim()))];
  for (const format of formats) {
    if (!FILE_FORMATS.includes(format as FileFormat)) {
      const hint = didYouMean(format, FILE_FORMATS) || `, expected any of ${FILE_FORMATS.join(", ")}`;
      throw new InputError(`--format ${JSON.stringify(format)}: unknown format${hint}`);
    }
  }
  return formats as readonly FileFormat[];
}

/** `--out` as it stands for a single format with that ending or a custom one; else with the format's own ending. */
function pathFor(out: string, format: FileFormat, formats: number): string {
  const ending = extname(out);
  const isReportEnding = FILE_FORMATS.some((known) => ending === `.${known}`);
  if (formats === 1 && ending !== "" && !isReportEnding) return out;
  const stem = isReportEnding ? out.slice(0, -ending.length) : out;
  return `${stem}.${format}`;
}

import type { OptimizeResult, RankedPoint } from "../../sweep/search/optimize.js";
import type { SweepPoint, SweepResult } from "../../sweep/sweep-result.js";
import { searchChart } from "../charts/search-results.js";
import { hasRows } from "../charts/chart.js";
import { formatNumber, formatShare } from "../format.js";
import { formatMetric } from "../metrics.js";
import { statisticsOf } from "../point-statistics.js";
import type { Recommendation } from "../recommendation.js";
import { figuresOf, sweepPointOf } from "../search-words.js";
import { pointName, settingsFlags, shortNameOf, valueWords } from "../setting-words.js";
import { escapeHtml } from "./escape.js";
import { chartGrid, htmlPage, sortableTable, type TableCell, type TableColumn } from "./page.js";
import { leadOf, provenanceSection, SELECTION, verdictSection } from "./sweep-page.js";

/** The report of a search for the largest load or the cheapest fleet: one HTML file that needs nothing else. */
export async function searchPage(
  search: OptimizeResult,
  sweep: SweepResult,
  recommendation: Recommendation | null,
  words: readonly string[],
): Promise<string> {
  const isLoad = search.goal === "max_rate";
  const what = isLoad ? "the largest load" : "the cheapest fleet";
  const chart = searchChart(search);
  const heading = `<h2>${isLoad ? "What each point sustains" : "What each fleet reaches"}</h2>`;
  const body = [
    `<h1>${escapeHtml(`${search.name}: ${what}`)}</h1>`,
    `<p class="lead">${escapeHtml(leadOf(sweep))}</p>`,
    verdictSection(words),
    hasRows(chart) ? `${heading}\n${chartGrid([chart], "wide")}` : "",
    pointsSection(search, sweep),
    provenanceSection(sweep, search.recommended === null ? null : recommendation),
    SELECTION,
  ];
  return htmlPage(`${search.name}: ${what}`, body.join("\n"));
}

/** More than this nobody reads. */
const ROWS_AT_MOST = 60;

interface Column extends TableColumn {
  cell(point: RankedPoint, found: SweepPoint | null): TableCell;
}

function pointsSection(search: OptimizeResult, sweep: SweepResult): string {
  const columns = columnsOf(search);
  const chosen = search.recommended === null ? null : pointName(search.recommended.settings);
  const rows = search.points.slice(0, ROWS_AT_MOST).map((point) => {
    const found = sweepPointOf(point, sweep);
    const name = pointName(point.settings);
    return {
      isMarked: name === chosen,
      point: { name, flags: settingsFlags(found?.settings ?? point.settings) },
      cells: columns.map((column) => column.cell(point, found)),
    };
  });
  const note =
    search.goal === "max_rate"
      ? "Figures are means over seeds at the load that the point sustains; attainment is that of the worst seed."
      : "Figures are means over seeds; attainment is that of the worst seed.";
  const isWhole = search.points.length <= ROWS_AT_MOST;
  const rest = isWhole ? "" : ` The first ${ROWS_AT_MOST} of ${search.points.length}; optimize.json has all.`;
  return `<h2>${isWhole ? "All points" : "Points"}</h2>
<p class="note">${note} Stopped: a run ended early, since it could no longer reach the attainment.${rest}</p>
${sortableTable(columns, rows)}`;
}

function columnsOf(search: OptimizeResult): readonly Column[] {
  const number = (header: string, read: (point: RankedPoint) => number | null): Column => ({
    header,
    isText: false,
    cell: (point) => ({ text: formatNumber(read(point)), sortBy: read(point) ?? "" }),
  });
  const load = [
    number("requests/s", ({ load }) => load!.requests_per_s),
    number(search.points[0]?.load?.knob ?? "load", ({ load }) => load!.sustained),
    number("missed at", ({ load }) => load!.exceeded),
  ];
  const place: Column = {
    header: "place",
    isText: false,
    cell: (point) => {
      const at = search.points.indexOf(point) + 1;
      return { text: String(at), sortBy: at };
    },
  };
  return [
    place,
    ...search.axes.map(({ setting, values }): Column => ({
      header: shortNameOf(setting),
      isText: !values.every((value) => typeof value === "number"),
      cell: ({ settings }) => {
        const value = settings[setting] ?? null;
        return { text: valueWords(value), sortBy: String(value) };
      },
    })),
    ...(search.goal === "max_rate"
      ? load
      : [
          {
            header: "GPUs",
            isText: false,
            cell: ({ gpus }: RankedPoint) => ({ text: String(gpus!), sortBy: gpus! }),
          },
        ]),
    {
      header: "in SLO",
      isText: false,
      cell: ({ attainment }) => ({
        text: attainment === null ? "stopped" : formatShare(attainment),
        sortBy: attainment ?? "",
      }),
    },
    ...figuresOf(search).map((metric): Column => ({
      header: metric.unit === "" ? metric.label : `${metric.label}, ${metric.unit}`,
      isText: false,
      cell: ({ attainment }, found) => {
        // Of a stopped point the seeds that were not stopped are no mean of all.
        const mean = found === null || attainment === null ? null : statisticsOf(found, metric)?.mean;
        return { text: formatMetric(metric, mean ?? null), sortBy: mean ?? "" };
      },
    })),
  ];
}

import type { OptimizeResult, RankedPoint } from "../../sweep/search/optimize.js";
import { formatNumber, formatShare } from "../format.js";
import { offeredAt } from "../search-words.js";
import { pointName, valueWords } from "../setting-words.js";
import { type Chart, CONTAINER } from "./chart.js";

/** More rows than this are left to the table. */
const ROWS_AT_MOST = 24;
const ROW_HEIGHT = 26;
const NAMES = { field: "name", type: "nominal", sort: null, title: null, axis: { labelLimit: 150 } } as const;

/** What a search for the largest load or the cheapest fleet found, point by point. */
export function searchChart(search: OptimizeResult): Chart {
  return search.goal === "max_rate" ? sustainedLoadChart(search) : fleetChart(search);
}

/** What each point sustains, with the load at which it was seen to fail. */
function sustainedLoadChart(search: OptimizeResult): Chart {
  const values = search.points.slice(0, ROWS_AT_MOST).map((point) => {
    const { sustained, exceeded, requests_per_s: perS } = point.load!;
    const failsAt = offeredAt(search, exceeded);
    return {
      name: shortName(point, search),
      point: pointName(point.settings),
      sustained: perS,
      fails: failsAt,
      best: point === search.points[0] && sustained !== null,
      sustainedText: perS === null ? "not seen to hold" : `${formatNumber(perS)} requests/s`,
      failsText: failsAt === null ? "-" : `${formatNumber(failsAt)} requests/s`,
    };
  });
  const tooltip = [
    { field: "point", title: "point" },
    { field: "sustainedText", title: "sustained" },
    { field: "failsText", title: "missed at" },
  ];
  return {
    id: "sustained",
    title: "Largest load sustained",
    caption:
      `Requests/s at which ${formatShare(search.attainment)} of requests meet the SLO under every seed; longer is better. ` +
      `The mark is the smallest load at which that was missed.${restWords(search)}`,
    spec: {
      ...CONTAINER,
      height: ROW_HEIGHT * Math.max(2, values.length),
      data: { values },
      encoding: { y: NAMES, tooltip },
      layer: [
        {
          mark: { type: "bar", height: { band: 0.6 } },
          encoding: {
            x: { field: "sustained", type: "quantitative", title: "requests/s", axis: { tickCount: 5 } },
            opacity: { condition: { test: "datum.best", value: 1 }, value: 0.5 },
          },
        },
        {
          mark: { type: "tick", thickness: 3, size: 18, color: "#d55e00" },
          encoding: { x: { field: "fails", type: "quantitative" } },
        },
      ],
    },
  };
}

/** How many requests meet the SLO on each fleet whose runs were not stopped; empty where that is the chosen one alone. */
function fleetChart(search: OptimizeResult): Chart {
  const chosen = search.recommended === null ? null : pointName(search.recommended.settings);
  const whole = search.points.filter(({ attainment }) => attainment !== null);
  const values = (whole.length > 1 ? whole.slice(0, ROWS_AT_MOST) : []).map((point) => ({
    name: `${point.gpus!} GPUs: ${shortName(point, search)}`,
    point: pointName(point.settings),
    attainment: point.attainment! * 100,
    best: pointName(point.settings) === chosen,
    text: formatShare(point.attainment),
  }));
  return {
    id: "fleets",
    title: "SLO attainment of the fleets tried",
    caption:
      `Worst seed of each fleet; the line is the ${formatShare(search.attainment)} asked for. ` +
      "Fleets that were stopped, since they could no longer reach it, are in the table alone.",
    spec: {
      ...CONTAINER,
      height: ROW_HEIGHT * Math.max(2, values.length),
      data: { values },
      layer: [
        {
          mark: { type: "bar", height: { band: 0.6 } },
          encoding: {
            y: NAMES,
            tooltip: [
              { field: "point", title: "point" },
              { field: "text", title: "SLO attainment" },
            ],
            x: {
              field: "attainment",
              type: "quantitative",
              title: "SLO attainment, %",
              scale: { domain: [0, 100] },
              axis: { tickCount: 5 },
            },
            opacity: { condition: { test: "datum.best", value: 1 }, value: 0.5 },
          },
        },
        {
          mark: { type: "rule", strokeDash: [4, 3], aria: false, tooltip: null },
          encoding: { x: { datum: (search.attainment ?? 0) * 100, type: "quantitative" } },
        },
      ],
    },
  };
}

function restWords({ points }: OptimizeResult): string {
  return points.length > ROWS_AT_MOST
    ? ` ${ROWS_AT_MOST} of ${points.length} points; the table has all.`
    : "";
}

/** The values of the settings that differ, in the order of the axes: `4,096 cache_aware`. */
function shortName({ settings }: RankedPoint, { axes, name }: OptimizeResult): string {
  const values = axes
    .filter((axis) => axis.values.length > 1)
    .map(({ setting }) => valueWords(settings[setting] ?? null));
  return values.length === 0 ? name : values.join(" ");
}

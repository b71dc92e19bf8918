import type { TopLevelSpec } from "vega-lite";
import { RAMP_LIGHT, SERIES_LIGHT, SHAPES } from "../html/palette.js";
import { wrap } from "../text-table.js";
import type { Chart } from "./chart.js";

/** Width of a chart that stands alone, px. */
const WIDTH = 720;
/** Of text that fit into it as Vega measures text without a browser: generously. */
const CHARACTERS = 80;
/** Of the names on an axis, px, measured in the same way. */
const LABEL_LIMIT = 260;
/** The same where charts lie below each other on one axis, which takes equal room beside all of them. */
const FIXED_LIMIT = 84;
const FIXED_ROOM: ReadonlySet<string> = new Set(["minExtent", "maxExtent", "labelLimit"]);
/** More series than this are drawn, but not all named. */
const SERIES_AT_MOST = 16;
const TEXT = "#17202a";
const MUTED = "#55616e";
const FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";

type Rows = readonly Readonly<Record<string, unknown>>[];

/** The look of charts outside the HTML page, which has its own: dark on white, so that it reads on any background. */
const CONFIG = {
  background: "#ffffff",
  padding: 12,
  font: FONT,
  view: { stroke: null },
  axis: {
    labelColor: MUTED,
    titleColor: MUTED,
    gridColor: "#e6eaef",
    domainColor: "#d5dce4",
    tickColor: "#d5dce4",
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
  },
  legend: { orient: "top", title: null, labelFontSize: 12, labelColor: TEXT, labelLimit: 600 },
  title: {
    anchor: "start",
    fontSize: 15,
    color: TEXT,
    subtitleColor: MUTED,
    subtitleFontSize: 12,
    offset: 12,
  },
  mark: { color: SERIES_LIGHT[0] },
  text: { color: TEXT, fontSize: 12 },
  style: { halo: { stroke: "#ffffff", strokeWidth: 4, strokeJoin: "round" } },
  rule: { color: MUTED, strokeWidth: 1.5 },
  range: { category: [...SERIES_LIGHT], symbol: [...SHAPES], heatmap: [...RAMP_LIGHT] },
} as const;

/**
 * The specification of a chart for use anywhere: with its title, its data, a width and a look of its own, and legends, which
 * the HTML page writes above its charts. Opens in the Vega editor and in notebooks as it is.
 */
export function standaloneSpec({ title, caption, spec }: Chart): TopLevelSpec {
  return {
    ...(withLegends(spec, rowsOf({ spec })) as object),
    title: { text: title, subtitle: wrap(caption, CHARACTERS) },
    width: WIDTH,
    config: CONFIG,
  } as unknown as TopLevelSpec;
}

/** The data of a chart as rows. */
export function rowsOf({ spec }: Pick<Chart, "spec">): Rows {
  return (spec.data as { values: Rows }).values;
}

/** A chart as SVG, drawn by Vega without a browser; the same bytes for the same chart. */
export async function chartSvg(chart: Chart): Promise<string> {
  // Loaded where they are needed: no other command waits for them.
  const [{ compile }, vega] = await Promise.all([import("vega-lite"), import("vega")]);
  const { spec } = compile(standaloneSpec(chart));
  const view = new vega.View(vega.parse(spec), { renderer: "none", logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** A chart as PNG, at twice its size for sharp screens; text is set in the fonts of the machine. */
export async function chartPng(chart: Chart): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const options = {
    fitTo: { mode: "zoom", value: 2 },
    font: { loadSystemFonts: true, defaultFontFamily: "DejaVu Sans" },
  } as const;
  return new Resvg(await chartSvg(chart), options).render().asPng();
}

/** Colours get their legend back, and axes more room for names; Vega-Lite joins the shapes of the same series with them. */
function withLegends(node: unknown, rows: Rows): unknown {
  if (Array.isArray(node)) return node.map((one) => withLegends(one, rows));
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node as Record<string, unknown>).map(([key, value]) => {
    if (key === "data" || key === "transform") return [key, value] as const;
    if ("maxExtent" in node && FIXED_ROOM.has(key)) return [key, FIXED_LIMIT] as const;
    if (key === "labelLimit") return [key, LABEL_LIMIT] as const;
    const isEncodingOfSeries = (key === "color" || key === "shape") && isOfField(value);
    if (!isEncodingOfSeries) return [key, withLegends(value, rows)] as const;
    const legend = {
      columns: columnsFor((value as { field: string }).field, rows),
      symbolLimit: SERIES_AT_MOST,
    };
    return [key, { ...(value as object), legend, title: null }] as const;
  });
  return Object.fromEntries(entries);
}

/** As many names side by side as the longest of them leaves room for. */
function columnsFor(field: string, rows: Rows): number {
  const longest = Math.max(1, ...new Set(rows.map((row) => String(row[field]).length)));
  return Math.max(1, Math.min(8, Math.floor(CHARACTERS / (longest + 5))));
}

function isOfField(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "field" in value &&
    "legend" in value &&
    value.legend === null
  );
}

import type { TopLevelSpec } from "vega-lite";

/** A Vega-Lite specification with its data, without colours or fonts: the page's theme gives those. */
export type ChartSpec = TopLevelSpec;

/** A chart of a report. */
export interface Chart {
  /** Unique in its report; letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  /** What to see in it, one or two sentences. */
  readonly caption: string;
  readonly spec: ChartSpec;
  /** Its horizontal axis is the time of the run, as that of every other such chart of its page. */
  readonly isOverTime?: true;
}

/** Set on every specification: the version of the language, and that the chart fills its container's width. */
export const CONTAINER = {
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  width: "container",
  autosize: { type: "fit-x", contains: "padding" },
} as const;

/** Name of a series in the data; series are told apart by colour and by shape. */
export const NO_SERIES = "all";

/** True where the chart has anything to draw. */
export function hasRows({ spec }: Chart): boolean {
  const data = spec.data as { values: readonly unknown[] };
  return data.values.length > 0;
}

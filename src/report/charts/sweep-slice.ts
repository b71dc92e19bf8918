import type { SettingValue, SweepAxis, SweepPoint, SweepResult } from "../../sweep/sweep-result.js";
import { shortNameOf, valueWords } from "../setting-words.js";

const SERIES_AT_MOST = 7;
const NUMERIC_SERIES_AT_MOST = 4;

/**
 * A cut through a grid that fits on paper: one axis to the right, at most one more as series, all others held
 * at the values of one point.
 */
export interface SweepSlice {
  readonly axis: SweepAxis;
  readonly series: SweepAxis | null;
  /** In grid order. */
  readonly points: readonly SweepPoint[];
  /** The settings that are held, in words; empty where none is. */
  readonly held: string;
}

/** The cut along `axis` through `centre`. */
export function sliceThrough(sweep: SweepResult, centre: SweepPoint, axis: SweepAxis): SweepSlice {
  const series = seriesFor(sweep.axes, axis);
  const held = sweep.axes.filter((other) => other !== axis && other !== series);
  return {
    axis,
    series,
    points: sweep.points.filter((point) =>
      held.every(({ setting }) => point.settings[setting] === centre.settings[setting]),
    ),
    held: held
      .map(({ setting }) => `${shortNameOf(setting)} ${valueWords(centre.settings[setting] ?? null)}`)
      .join(", "),
  };
}

/** True where every value is a number, so that the axis has an order that means something. */
export function isNumeric(axis: SweepAxis): boolean {
  return axis.values.every((value) => typeof value === "number");
}

/** The axes worth drawing: those with two values or more. */
export function sweptAxes(sweep: SweepResult): readonly SweepAxis[] {
  return sweep.axes.filter(({ values }) => values.length > 1);
}

/** The axis to put on the bottom of the main charts: the longest numeric one, else the longest. */
export function mainAxis(sweep: SweepResult): SweepAxis | undefined {
  const byLength = sweptAxes(sweep).toSorted((a, b) => b.values.length - a.values.length);
  return byLength.find(isNumeric) ?? byLength[0];
}

/** How a value is written on an axis or in a legend. */
export function axisLabel(value: SettingValue | undefined): string {
  return valueWords(value ?? null);
}

/** Scale of the colour or shape of a slice's series: the same in every chart and in the legend, whatever points a chart has. */
export function seriesScale(slice: SweepSlice | null): { domain: string[] } | Record<string, never> {
  return slice?.series == null ? {} : { domain: slice.series.values.map(axisLabel) };
}

/** The axis as it is drawn: numbers in order. */
export function inOrder(axis: SweepAxis): readonly string[] {
  const values = isNumeric(axis) ? axis.values.toSorted((a, b) => Number(a) - Number(b)) : axis.values;
  return values.map(axisLabel);
}

function seriesFor(axes: readonly SweepAxis[], axis: SweepAxis): SweepAxis | null {
  const others = axes.filter((other) => other !== axis && other.values.length > 1);
  const named = others.filter((other) => !isNumeric(other) && other.values.length <= SERIES_AT_MOST);
  const numeric = others.filter((other) => isNumeric(other) && other.values.length <= NUMERIC_SERIES_AT_MOST);
  return named[0] ?? (isNumeric(axis) ? numeric[0] : undefined) ?? null;
}

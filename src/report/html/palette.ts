/**
 * Series colours after Okabe & Ito, told apart with any of the common colour-vision deficiencies; the dark set
 * is the same hues, lighter. Series differ in shape too.
 */
export const SERIES_LIGHT = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#e69f00",
  "#6b7280",
] as const;
export const SERIES_DARK = [
  "#4da3e0",
  "#f0834a",
  "#2fc99b",
  "#e39cc3",
  "#a5dbfa",
  "#f2b842",
  "#aab4bf",
] as const;

/** From few to many, on a light and on a dark page: what is more stands out more. */
export const RAMP_LIGHT = ["#cfe3f3", "#6baed6", "#08519c"] as const;
export const RAMP_DARK = ["#1d3a54", "#3d86c6", "#d6ecff"] as const;

/** Vega's names of the series' shapes, in the same order. */
export const SHAPES = [
  "circle",
  "square",
  "triangle-up",
  "diamond",
  "cross",
  "triangle-down",
  "triangle-right",
] as const;

/** The shapes as SVG path data in a box from -6 to 6, for legends. */
const SHAPE_PATHS: Readonly<Record<(typeof SHAPES)[number], string>> = {
  circle: "M-5,0A5,5 0 1 1 5,0A5,5 0 1 1 -5,0Z",
  square: "M-4.5,-4.5H4.5V4.5H-4.5Z",
  "triangle-up": "M0,-5.5L5.5,4.5H-5.5Z",
  diamond: "M0,-6L4,0L0,6L-4,0Z",
  cross: "M-2,-5.5H2V-2H5.5V2H2V5.5H-2V2H-5.5V-2H-2Z",
  "triangle-down": "M0,5.5L5.5,-4.5H-5.5Z",
  "triangle-right": "M5.5,0L-4.5,5.5V-5.5Z",
};

/** Shape of the series at `index`, as SVG path data. */
export function shapePath(index: number): string {
  return SHAPE_PATHS[SHAPES[index % SHAPES.length]!];
}

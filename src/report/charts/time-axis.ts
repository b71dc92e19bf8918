/** Periods that a run is cut into where a chart counts over time. */
export const TIME_BINS = 100;

/** Room for the labels of the other axis, px: the same in every chart over time, so that their times lie below each other. */
const LABEL_ROOM = 58;

/** The scale of time that all charts of a run over time share. */
export function timeScale(endS: number): { domain: number[]; nice: false; zero: false } {
  return { domain: [0, endS], nice: false, zero: false };
}

/** The axis of time. */
export const TIME_AXIS = { tickCount: 6, grid: false } as const;

/** The vertical axis of a chart over time; names that are too long end in dots. */
export const BESIDE_TIME = { minExtent: LABEL_ROOM, maxExtent: LABEL_ROOM, labelLimit: LABEL_ROOM } as const;

/** Heights of a column of a sparkline, lowest first; plain characters for terminals that know no others. */
const LEVELS = { unicode: "▁▂▃▄▅▆▇█", plain: "_.:-=+*#" } as const;
/** A cell of a bar in eighths. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;

/** What a terminal can print. */
export interface CharacterSet {
  readonly unicode: boolean;
}

/**
 * Values as columns of one line, from 0 to the largest; a blank where there is no value.
 * @param values one for each column; NaN = none
 */
export function sparkline(values: readonly number[], { unicode }: CharacterSet): string {
  const levels = unicode ? LEVELS.unicode : LEVELS.plain;
  const largest = Math.max(0, ...values.filter((value) => !Number.isNaN(value)));
  return values
    .map((value) => {
      if (Number.isNaN(value)) return " ";
      const level =
        largest === 0 ? 0 : Math.min(levels.length - 1, Math.floor((value / largest) * levels.length));
      return levels[level]!;
    })
    .join("");
}

/** A bar of `width` cells at most, for a share from 0 to 1. */
export function bar(share: number, width: number, { unicode }: CharacterSet): string {
  const cells = Math.max(0, Math.min(1, share)) * width;
  if (!unicode) return "#".repeat(Math.round(cells));
  const eighths = Math.round(cells * 8);
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}

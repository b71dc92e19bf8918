/** Numbers as people read them; every report uses these, so that figures agree wherever they are printed. */

/** Stands for a figure that does not exist. */
export const MISSING = "-";

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** Three significant digits, thousands separated: `12,346`, `123`, `12.3`, `0.123`, `0`. */
export function formatNumber(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return MISSING;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 99.95) return WHOLE.format(value);
  if (size >= 0.001) return value.toFixed(Math.min(5, Math.max(0, 2 - Math.floor(Math.log10(size)))));
  return value.toExponential(1);
}

/** A count: `12,031`. */
export function formatCount(value: number): string {
  return WHOLE.format(value);
}

/** A share as a percentage with one digit: `37.4 %`. */
export function formatShare(share: number | null): string {
  return share === null ? MISSING : `${(share * 100).toFixed(1)} %`;
}

/** A relative change as a signed percentage: `+18 %`, `-1.2 %`, `0 %`. */
export function formatChange(change: number): string {
  const text = percentDigits(change);
  return `${change > 0 && Number(text) !== 0 ? "+" : ""}${text} %`;
}

/** The ends of an interval of a relative change in percent: `14..22`, `-2.1..3.4`. */
export function formatChangeRange(low: number, high: number): string {
  const larger = Math.max(Math.abs(low), Math.abs(high));
  return `${percentDigits(low, larger)}..${percentDigits(high, larger)}`;
}

/** The same in a sentence: `+14 to +22 %`, `-2.1 to +3.4 %`. */
export function formatChangeInterval(low: number, high: number): string {
  const larger = Math.max(Math.abs(low), Math.abs(high));
  const end = (value: number): string => {
    const text = percentDigits(value, larger);
    return value > 0 && text !== "0" ? `+${text}` : text;
  };
  return `${end(low)} to ${end(high)} %`;
}

/** A duration in the unit that suits it: `820 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${formatNumber(seconds * 1000)} ms`;
  if (seconds < 120) return `${formatNumber(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Whole percents from 10 % on, else one digit; `size` decides where several figures stand side by side. */
function percentDigits(share: number, size = Math.abs(share)): string {
  const text = (share * 100).toFixed(size >= 0.0995 ? 0 : 1);
  return Number(text) === 0 ? "0" : text;
}

/** The text with its first letter in upper case. */
export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

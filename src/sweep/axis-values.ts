import { InputError } from "../errors.js";
import type { SettingValue } from "./sweep-result.js";
import { parseValue } from "../scenario/overrides.js";

const MOST_VALUES = 1000;
const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
const RANGE = new RegExp(`^(${NUMBER}):(${NUMBER}):(x?)(${NUMBER})$`, "i");

/**
 * The values of an axis as typed: a list `a,b,c` whose items are single values or ranges.
 *
 * `START:END:STEP` adds STEP until END, `START:END:xFACTOR` multiplies; END belongs to the range when it is hit.
 *
 * @param source how the user wrote the setting, for messages
 */
export function parseAxisValues(text: string, source: string): SettingValue[] {
  const values = text.split(",").flatMap((item) => {
    const trimmed = item.trim();
    const range = RANGE.exec(trimmed);
    if (range === null) return [scalar(trimmed, source)];
    const [, start, end, times, step] = range;
    return expandRange(Number(start), Number(end), times !== "", Number(step), `${source}: "${trimmed}"`);
  });
  return distinct(values, source);
}

/** True where the text stands for more than one value. */
export function isList(text: string): boolean {
  return !/^\s*[[{"']/.test(text) && (text.includes(",") || RANGE.test(text.trim()));
}

/** What looks like a range and is none: `0:10`. */
const HALF_RANGE = new RegExp(`^${NUMBER}:${NUMBER}$`, "i");

/** @throws InputError for a range without its step, which would be taken for a text */
export function checkRange(text: string, source: string): void {
  if (!HALF_RANGE.test(text.trim())) return;
  throw new InputError(`${source}: got ${text.trim()}, expected a list a,b,c or a range START:END:STEP`);
}

/** Fails on a value that occurs twice: its points would be the same. */
export function distinct(values: SettingValue[], source: string): SettingValue[] {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw new InputError(`${source}: ${JSON.stringify(twice)} is given twice`);
  return values;
}

function scalar(text: string, source: string): SettingValue {
  if (text === "")
    throw new InputError(`${source}: expected a value, a list a,b,c or a range START:END:STEP`);
  const value = parseValue(text, source);
  return isScalarValue(value) ? value : text;
}

export function isScalarValue(value: unknown): value is SettingValue {
  return value === null || ["number", "string", "boolean"].includes(typeof value);
}

function expandRange(
  start: number,
  end: number,
  multiplies: boolean,
  step: number,
  source: string,
): number[] {
  if (end < start) throw new InputError(`${source}: expected an END of at least START`);
  if (multiplies && (step <= 1 || start <= 0)) {
    throw new InputError(`${source}: expected a START above 0 and a FACTOR above 1`);
  }
  if (!multiplies && step <= 0) throw new InputError(`${source}: expected a STEP above 0`);
  const values: number[] = [];
  for (let i = 0; ; i++) {
    // Twelve digits hide the rounding of 0.1 + 0.2 without touching any value a user would type.
    const value = Number((multiplies ? start * step ** i : start + i * step).toPrecision(12));
    if (value > end) return values;
    if (values.length === MOST_VALUES) {
      throw new InputError(`${source}: is more than ${MOST_VALUES} values, expected a larger step`);
    }
    values.push(value);
  }
}

/** A field of a trace that cannot be read; the reader of the file adds file and line. */
export class FieldError extends Error {
  constructor(field: string, value: unknown, expected: string) {
    super(`field "${field}": got ${show(value)}, expected ${expected}`);
    this.name = "FieldError";
  }
}

const LONGEST_VALUE = 60;

/** A value as an error message quotes it. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
}

/** Counts of tokens and numbers of sessions are stored in 32 bits. */
const MAX_COUNT = 2 ** 31 - 1;

/** @throws FieldError unless `value` is a whole number of at least `minimum`. */
export function wholeNumber(field: string, value: unknown, minimum: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= MAX_COUNT) {
    return value;
  }
  throw new FieldError(field, value, `a whole number of at least ${minimum}`);
}

/** @throws FieldError unless `value` is a finite number, 0 or more. */
export function atLeastZero(field: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && value < Infinity) return value;
  throw new FieldError(field, value, "a number, 0 or more");
}

/**
 * Block ids of one request: whole numbers that are not negative, no more than its tokens fill.
 *
 * @throws FieldError naming the list, or the entry that is not an id.
 */
export function blockIds(field: string, value: unknown, tokens: number, blockTokens: number): number[] {
  if (!Array.isArray(value)) throw new FieldError(field, value, "a list of block ids");
  const ids = value as unknown[];
  const atMost = Math.ceil(tokens / blockTokens);
  if (ids.length > atMost) {
    throw new FieldError(
      field,
      `${ids.length} ids`,
      `at most ${atMost} (${tokens} tokens in blocks of ${blockTokens})`,
    );
  }
  const wrong = ids.findIndex((id) => !Number.isSafeInteger(id) || (id as number) < 0);
  if (wrong >= 0) throw new FieldError(`${field}[${wrong}]`, ids[wrong], "a whole number, 0 or more");
  return ids as number[];
}

/** @throws FieldError unless `value` is a list of whole numbers of 32 bits, `length` of them. */
export function tokenIds(field: string, value: unknown, length: number): number[] {
  if (!Array.isArray(value)) throw new FieldError(field, value, "a list of token ids");
  const ids = value as unknown[];
  if (ids.length !== length)
    throw new FieldError(field, `${ids.length} ids`, `${length} (one for each token)`);
  const wrong = ids.findIndex((id) => typeof id !== "number" || (id | 0) !== id);
  if (wrong >= 0) throw new FieldError(`${field}[${wrong}]`, ids[wrong], "a token id");
  return ids as number[];
}

const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;

/** The number a CSV field spells, or its text where it spells none. */
export function numberIn(text: string | undefined): number | string | undefined {
  return text !== undefined && NUMBER.test(text) ? Number(text) : text;
}

import { wrap } from "./help-text.js";

/** Columns that lists and tables of words may take: those of a plain terminal. */
const WIDTH = 80;

/** A line of text under another: `first` before its first line, as much space before the others. */
export function hanging(first: string, text: string): string {
  const [head, ...more] = wrap(text, WIDTH - first.length);
  const indent = " ".repeat(first.length);
  return [first + (head ?? ""), ...more.map((line) => indent + line)]
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** A heading and its items, one bullet each. */
export function bullets(heading: string, items: readonly string[]): string {
  return `  ${heading}\n${items.map((item) => hanging("    - ", item)).join("")}`;
}

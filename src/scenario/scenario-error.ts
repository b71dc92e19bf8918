import { InputError } from "../errors.js";

/** Where a piece of a file stands; both count from 1. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

/**
 * A file with settings is wrong at a certain place. `message` is one line, `FILE:LINE:COL: field: problem`;
 * `excerpt` is that line of the file with a caret below.
 */
export class ScenarioError extends InputError {
  readonly excerpt: string;

  constructor(message: string, excerpt: string) {
    super(message, "PDB_ERR_SCENARIO");
    this.name = "ScenarioError";
    this.excerpt = excerpt;
  }
}

const EXCERPT_COLUMNS = 100;

/** The line of `text` at `position` and a caret under its column; long lines are cut around the caret. */
export function excerptOf(text: string, position: SourcePosition): string {
  const line = (text.split(/\r?\n/)[position.line - 1] ?? "").replaceAll("\t", " ");
  const gutter = `${String(position.line).padStart(5)} | `;
  const start = position.column > EXCERPT_COLUMNS - 20 ? position.column - EXCERPT_COLUMNS / 2 : 0;
  const shown = line.slice(start, start + EXCERPT_COLUMNS);
  const caret = " ".repeat(gutter.length + position.column - 1 - start) + "^";
  return `${gutter}${shown}\n${caret}`;
}

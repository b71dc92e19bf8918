import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { InputError } from "../errors.js";
import { didYouMean } from "../values/nearest-name.js";
import type { StepSample } from "./step-samples.js";

const NUMBERS = ["prefill_chunk", "kv_prefill", "n_decode", "kv_decode", "step_ms"] as const;
const COLUMNS = ["hardware", "model", "tp", ...NUMBERS] as const;

type Row = Readonly<Record<(typeof COLUMNS)[number], string>>;

/** Which rows of a grid file to read. */
export interface GridSelection {
  readonly hardware: string;
  readonly model: string;
  readonly tp: number;
}

/**
 * The steps of one card, model and tensor-parallel degree from a CSV file with the columns
 * `hardware,model,tp,prefill_chunk,kv_prefill,n_decode,kv_decode,step_ms`. Lines that begin with # are comments;
 * `tp` may be written `2` or `tp2`; an organisation before the model's name may be left out.
 * @throws InputError naming the file, line and column, or what the file has instead of the selection.
 */
export function readGrid(file: string, selection: GridSelection): StepSample[] {
  const rows = readRows(file);
  const hardware = select(file, "hardware", rows, (row) => row.hardware, selection.hardware);
  const model = select(file, "model", hardware, (row) => row.model, selection.model);
  const tp = select(file, "tp", model, (row) => row.tp.replace(/^tp/, ""), String(selection.tp));
  return tp.map((row) => toSample(file, row));
}

function readRows(file: string): (Row & { readonly line: number })[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new InputError(`${file}: cannot be read, expected a step-time grid (CSV)`);
  }
  const records = parse<{ record: Row; info: { lines: number } }>(text, {
    columns: true,
    comment: "#",
    comment_no_infix: true,
    info: true,
    relax_column_count: true,
    trim: true,
  });
  if (records.length === 0)
    throw new InputError(`${file}: no rows, expected the columns ${COLUMNS.join(",")}`);
  const missing = COLUMNS.find((column) => !(column in records[0]!.record));
  if (missing !== undefined) {
    throw new InputError(`${file}:1: column ${missing} is missing, expected ${COLUMNS.join(",")}`);
  }
  return records.map(({ record, info }) => ({ ...record, line: info.lines }));
}

function select<Selected extends Row>(
  file: string,
  field: string,
  rows: readonly Selected[],
  of: (row: Selected) => string,
  wanted: string,
): Selected[] {
  const plain = (name: string): string => name.toLowerCase().replace(/^.*\//, "");
  const chosen = rows.filter((row) => plain(of(row)) === plain(wanted));
  if (chosen.length > 0) return chosen;
  const names = [...new Set(rows.map(of))];
  throw new InputError(
    `${file}: no rows with ${field} "${wanted}"${didYouMean(wanted, names)} (it has ${names.join(", ")})`,
  );
}

function toSample(file: string, row: Row & { readonly line: number }): StepSample {
  const [chunkTokens, cachedTokens, decodes, contextTokens, ms] = NUMBERS.map((column) => {
    const value = row[column] === "" ? NaN : Number(row[column]);
    if (!(value >= 0) || (column === "step_ms" && value === 0)) {
      throw new InputError(
        `${file}:${row.line}: ${column}: got "${row[column]}", expected a number of at least 0`,
      );
    }
    return value;
  }) as [number, number, number, number, number];
  return { chunks: chunkTokens > 0 ? 1 : 0, chunkTokens, cachedTokens, decodes, contextTokens, ms };
}

import { parse } from "csv-parse/sync";
import { columnOf } from "./formats/csv-fields.js";
import { show } from "./formats/fields.js";
import type { CsvFormat, JsonLinesFormat, JsonRecord, TraceFormat } from "./formats/format.js";
import { csvFormatOf, jsonLinesFormatOf, knownFields } from "./formats/trace-formats.js";
import type { TraceRows } from "./trace-rows.js";

/** Reads one line that is not blank; adds a request or nothing. */
export type LineReader = (line: string) => void;

/** Starts a trace in the format that was found or named. */
export type OpenTrace = (format: TraceFormat) => TraceRows;

/** A line that cannot be read; the message lacks file and line. */
export class LineError extends Error {
  /** Nothing after this line can be read either. */
  readonly isFatal: boolean;

  constructor(message: string, isFatal = false) {
    super(message);
    this.name = "LineError";
    this.isFatal = isFatal;
  }
}

/** Reads JSON objects, in the format named or in the one that the first of them has the fields of. */
export function jsonLineReader(named: JsonLinesFormat | null, open: OpenTrace): LineReader {
  let read: ((record: JsonRecord) => void) | null = null;
  return (line) => {
    const record = parseObject(line);
    if (read === null) {
      const format = named ?? jsonLinesFormatOf(record);
      if (format === null) throw new LineError(unknownFormat("jsonl", Object.keys(record)));
      read = format.openReader(open(format));
    }
    read(record);
  };
}

/** Reads rows of CSV after a header, in the format named or in the one that the header has the columns of. */
export function csvLineReader(named: CsvFormat | null, open: OpenTrace): LineReader {
  let read: ((fields: readonly string[]) => void) | null = null;
  return (line) => {
    const fields = csvFields(line);
    if (read === null) read = readerFor(fields, named, open);
    else read(fields);
  };
}

function readerFor(
  header: readonly string[],
  named: CsvFormat | null,
  open: OpenTrace,
): (fields: readonly string[]) => void {
  const format = named ?? csvFormatOf(header);
  if (format === null) throw new LineError(unknownFormat("csv", header), true);
  const missing = format.fields.find((field) => columnOf(header, field) < 0);
  if (missing !== undefined) {
    throw new LineError(`header: got ${show(header.join(","))}, expected a column "${missing}"`, true);
  }
  return format.openReader(open(format), header);
}

/** The fields of one row. Traces have one row a line; only rows with quotes need a real parser. */
function csvFields(line: string): readonly string[] {
  const row = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (!row.includes('"')) return row.split(",");
  try {
    return parse(row)[0] ?? [];
  } catch (error) {
    throw new LineError(`not CSV (${(error as Error).message})`);
  }
}

function parseObject(line: string): JsonRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new LineError(`got ${show(line)}, expected a JSON object`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonRecord;
  throw new LineError(`got ${show(value)}, expected a JSON object`);
}

function unknownFormat(kind: TraceFormat["kind"], fields: readonly string[]): string {
  return `format not recognised: got fields ${show(fields.join(", "))}, expected those of ${knownFields(kind)}`;
}

import type { TraceRows } from "../trace-rows.js";

export type JsonRecord = Readonly<Record<string, unknown>>;

interface FormatDescription {
  /** The name users type. */
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  /** Who publishes traces in it, and where it is described. */
  readonly source: string;
  /** Fields that every request has; they tell the formats apart. */
  readonly fields: readonly string[];
  /** Tokens of one block id. */
  readonly blockTokens: number;
}

/** One JSON object a line. The reader adds a request to `trace`, or throws a FieldError and adds nothing. */
export interface JsonLinesFormat extends FormatDescription {
  readonly kind: "jsonl";
  openReader(trace: TraceRows): (record: JsonRecord) => void;
}

/** Comma-separated, with a header; the reader gets each row's fields in the order of the header. */
export interface CsvFormat extends FormatDescription {
  readonly kind: "csv";
  openReader(trace: TraceRows, header: readonly string[]): (row: readonly string[]) => void;
}

export type TraceFormat = JsonLinesFormat | CsvFormat;

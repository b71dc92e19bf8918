import { pipeline } from "node:stream";
import { CsvError, parse } from "csv-parse";

/** One row of a CSV file, and the line it ends on. */
export interface CsvRow {
  readonly line: number;
  readonly fields: readonly string[];
}

/** Something in the file is not CSV, e.g. a quote that is not closed. */
export class CsvSyntaxError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.name = "CsvSyntaxError";
    this.line = line;
  }
}

/**
 * The rows of a CSV text, header included, blank lines not.
 *
 * @param onBadRow passes over rows that are not CSV and hears of them; null = they end the reading.
 * @throws CsvSyntaxError naming the line.
 */
export async function* csvRows(
  bytes: AsyncIterable<Buffer>,
  onBadRow: ((error: CsvSyntaxError) => void) | null,
): AsyncGenerator<CsvRow> {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: onBadRow !== null,
  });
  if (onBadRow !== null) parser.on("skip", (error: CsvError) => onBadRow(syntaxError(error)));
  // Errors of the source reach the loop below: pipeline destroys the parser with them.
  pipeline(bytes, parser, () => undefined);
  try {
    for await (const { info, record } of parser as AsyncIterable<{
      info: { lines: number };
      record: string[];
    }>) {
      yield { line: info.lines, fields: record };
    }
  } catch (error) {
    throw error instanceof CsvError ? syntaxError(error) : error;
  }
}

function syntaxError(error: CsvError): CsvSyntaxError {
  return new CsvSyntaxError(Number(error["lines"]), error.message);
}

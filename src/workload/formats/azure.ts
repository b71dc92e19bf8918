import { columnOf } from "./csv-fields.js";
import { FieldError, numberIn, wholeNumber } from "./fields.js";
import type { CsvFormat } from "./format.js";

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/;

/** Wall-clock times with a resolution of 100 ns; no prefix blocks. */
export const azure: CsvFormat = {
  kind: "csv",
  name: "azure",
  summary: "TIMESTAMP, ContextTokens, GeneratedTokens, comma-separated",
  source: "Azure/AzurePublicDataset, LLM inference traces 2023 and 2024",
  fields: ["TIMESTAMP", "ContextTokens", "GeneratedTokens"],
  blockTokens: 16,
  openReader(trace, header) {
    const [time, context, generated] = this.fields.map((field) => columnOf(header, field)) as [
      number,
      number,
      number,
    ];
    let startS: number | null = null;
    return (row) => {
      const stamp = parseTimestamp(row[time]);
      const inputTokens = wholeNumber("ContextTokens", numberIn(row[context]), 1);
      const outputTokens = wholeNumber("GeneratedTokens", numberIn(row[generated]), 0);
      // Whole seconds are subtracted first: a double holds 1.7e12 ms only to about 0.2 us.
      startS ??= stamp.wholeS;
      const arrivalMs = (stamp.wholeS - startS) * 1000 + stamp.fractionS * 1000;
      trace.add({ arrivalMs, inputTokens, outputTokens });
    };
  },
};

function parseTimestamp(text: string | undefined): { wholeS: number; fractionS: number } {
  const match = TIMESTAMP.exec(text?.trim() ?? "");
  if (match === null) throw new FieldError("TIMESTAMP", text, "a time such as 2023-11-16 18:15:46.6805900");
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const wholeMs = Date.UTC(year!, month! - 1, day, hour, minute, second);
  const date = new Date(wholeMs);
  if (
    date.getUTCMonth() !== month! - 1 ||
    date.getUTCDate() !== day ||
    hour! > 23 ||
    minute! > 59 ||
    second! > 59
  ) {
    throw new FieldError("TIMESTAMP", text, "a time that exists");
  }
  return { wholeS: wholeMs / 1000 - zoneOffsetS(match[8]), fractionS: Number(match[7] ?? 0) };
}

/** Offset of a zone such as `+02:00` from UTC; none and `Z` are UTC. */
function zoneOffsetS(zone: string | undefined): number {
  if (zone === undefined || zone === "Z") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith("-") ? -60 : 60) * minutes;
}

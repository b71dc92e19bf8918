import { didYouMean } from "../../values/nearest-name.js";
import { InputError } from "../../errors.js";
import { azure } from "./azure.js";
import { bailian } from "./bailian.js";
import { burstgpt } from "./burstgpt.js";
import { columnOf } from "./csv-fields.js";
import type { CsvFormat, JsonLinesFormat, JsonRecord, TraceFormat } from "./format.js";
import { llmservingsim } from "./llmservingsim.js";
import { mooncake } from "./mooncake.js";
import { pdbench } from "./pdbench.js";

const JSON_LINES: readonly JsonLinesFormat[] = [bailian, mooncake, llmservingsim, pdbench];
const CSV: readonly CsvFormat[] = [azure, burstgpt];

/** Every trace format there is. Bailian comes before Mooncake, whose fields it has as well. */
export const TRACE_FORMATS: readonly TraceFormat[] = [...JSON_LINES, ...CSV];

/** @throws InputError naming the nearest format when there is none of that name. */
export function traceFormat(name: string): TraceFormat {
  const format = TRACE_FORMATS.find((known) => known.name === name);
  if (format !== undefined) return format;
  const names = TRACE_FORMATS.map((known) => known.name);
  throw new InputError(
    `trace format "${name}" is unknown, expected auto, ${names.join(", ")}${didYouMean(name, names)}`,
  );
}

/** The format whose fields a JSON object has, or null. */
export function jsonLinesFormatOf(record: JsonRecord): JsonLinesFormat | null {
  return JSON_LINES.find(({ fields }) => fields.every((field) => field in record)) ?? null;
}

/** The format whose columns a header has, or null. */
export function csvFormatOf(header: readonly string[]): CsvFormat | null {
  return CSV.find(({ fields }) => fields.every((field) => columnOf(header, field) >= 0)) ?? null;
}

/** The fields that tell the formats apart, for messages. */
export function knownFields(kind: TraceFormat["kind"]): string {
  const formats = TRACE_FORMATS.filter((format) => format.kind === kind);
  return formats.map(({ name, fields }) => `${name} (${fields.join(", ")})`).join(", ");
}

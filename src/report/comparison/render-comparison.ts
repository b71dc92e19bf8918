import type { TerminalOptions } from "../terminal-style.js";
import { styleFor, widthFor } from "../terminal-style.js";
import { textTable, textTableWidth, wrap, type TextColumn } from "../text-table.js";
import type { ComparedSide, Comparison } from "./compare.js";
import { comparisonHeaders, comparisonRow, INTERVAL_NOTE, withoutIntervalWords } from "./comparison-table.js";
import { OUTCOME_WORDS, outcomeOf } from "./comparison-words.js";

const NAME_AT_MOST = 18;
const SETTINGS_AT_MOST = 10;

/** Runs side by side for a terminal: a table and a verdict for each, then what may make them incomparable. */
export function renderComparison(comparison: Comparison, options: TerminalOptions = {}): string {
  const style = styleFor(options);
  const width = widthFor(options);
  const sections = comparison.others.flatMap((held) => {
    const [headline, ...rest] = held.words;
    return [
      tableLines(comparison, held, width, style),
      withoutIntervalWords(held)
        .flatMap((words) => wrap(words, width, "  "))
        .map(style.dim),
      [
        ...wrap(headline!, width).map(style.bold),
        ...rest.flatMap((words) => wrap(`- ${words}`, width, "  ")),
      ],
    ];
  });
  const shown = comparison.settings.slice(0, SETTINGS_AT_MOST);
  const hidden = comparison.settings.length - shown.length;
  const settings = [
    ...shown.flatMap(({ setting, values }) =>
      wrap(`- ${setting}: ${values.join(" against ")}`, width, "    "),
    ),
    ...(hidden === 0 ? [] : [`- and ${hidden} more, which the report lists`]),
  ];
  return `${[
    [style.bold(comparison.name)],
    ...sections,
    wrap(INTERVAL_NOTE, width).map(style.dim),
    settings.length === 0 ? [] : ["Settings that differ:", ...settings],
    comparison.warnings.flatMap((warning) => wrap(`Warning: ${warning}`, width, "  ")),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function tableLines(
  { baseline }: Comparison,
  held: ComparedSide,
  width: number,
  style: ReturnType<typeof styleFor>,
): readonly string[] {
  const headers = comparisonHeaders(baseline, held);
  const columns = headers.map((header, i): TextColumn => ({
    group: "",
    header: header.length > NAME_AT_MOST ? `${header.slice(0, NAME_AT_MOST - 1)}~` : header,
    align: i === 0 || i === headers.length - 1 ? "left" : "right",
  }));
  const rows = held.differences.map((one) => [
    ...comparisonRow(one).slice(0, -1),
    OUTCOME_WORDS[outcomeOf(one)],
  ]);
  // A narrow terminal leaves out the verdict, which the interval says too, and what is in brackets.
  if (textTableWidth(columns, rows) > width) {
    columns.pop();
    for (const row of rows) row.pop();
  }
  if (textTableWidth(columns, rows) > width) for (const row of rows) row[0] = row[0]!.replace(/ \(.*\)$/, "");
  const { header, rows: lines } = textTable(columns, rows);
  const marked = lines.map((line, i) =>
    outcomeOf(held.differences[i]!) === "better" ? style.good(line) : line,
  );
  return [...header.map(style.dim), ...marked];
}

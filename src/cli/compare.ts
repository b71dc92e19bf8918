import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { InputError } from "../errors.js";
import type { Summary } from "../measure/summary.js";
import { compareRuns, type ComparedFigure } from "../replay/compare-runs.js";
import { formatChange, formatNumber, formatShare, MISSING } from "../report/format.js";
import { textTable, type TextColumn } from "../report/text-table.js";

const EXAMPLES = `
\`pdbench report FIRST SECOND\` has more: differences request by request with intervals, verdict, charts.

Examples:
  $ pdbench simulate conversation-4p4d --requests 500 --rate 4 --out out/sim
  $ pdbench replay conversation.jsonl --url http://127.0.0.1:30000 --requests 500 --rate 4 --out out/live
  $ pdbench compare out/sim out/live
`;

/** `pdbench compare SIM LIVE`: do two runs of one workload agree? */
export function compareCommand(): Command {
  return new Command("compare")
    .description(
      "Prints the figures of two runs of the same workload side by side, such as simulated and live.",
    )
    .argument("<first>", "run directory, or its summary.json")
    .argument("<second>", "the other one")
    .option("--json", "print JSON instead of a table")
    .addHelpText("after", EXAMPLES)
    .action((first: string, second: string, { json }: { json?: true }) => {
      const [a, b] = [readSummary(first), readSummary(second)];
      const figures = compareRuns(a, b);
      process.stdout.write(
        json === true
          ? `${JSON.stringify({ first, second, figures }, null, 2)}\n`
          : renderComparison(figures, [first, second]),
      );
    });
}

/** The table of a comparison, with a line end. */
export function renderComparison(
  figures: readonly ComparedFigure[],
  names: readonly [string, string],
): string {
  const right = (header: string): TextColumn => ({ group: "", header, align: "right" });
  const columns = [
    { group: "", header: "", align: "left" } as const,
    right(names[0]),
    right(names[1]),
    right("difference"),
  ];
  const rows = figures.map((compared) => [
    figureTitle(compared),
    figureValue(compared, "first"),
    figureValue(compared, "second"),
    figureDifference(compared),
  ]);
  const table = textTable(columns, rows);
  return `${[...table.header, ...table.rows].join("\n")}\n`;
}

/** The name of a figure with its unit. */
export function figureTitle({ figure, unit }: ComparedFigure): string {
  return unit === "ms" ? `${figure} (ms)` : figure;
}

/** A figure of one of the two runs in print. */
export function figureValue(figure: ComparedFigure, run: "first" | "second"): string {
  return figure.unit === "ms" ? formatNumber(figure[run]) : formatShare(figure[run]);
}

/** How the second run differs, in percent for times and in points for shares. */
export function figureDifference({ unit, difference }: ComparedFigure): string {
  if (difference === null) return MISSING;
  if (unit === "ms") return formatChange(difference);
  const points = (difference * 100).toFixed(1);
  return `${difference > 0 && Number(points) !== 0 ? "+" : ""}${Number(points) === 0 ? "0" : points} points`;
}

function readSummary(path: string): Summary {
  const file = path.endsWith(".json") ? path : join(path, "summary.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new InputError(`${path}: no summary.json there, expected a run directory`);
  }
  try {
    const summary = JSON.parse(text) as Partial<Summary>;
    if (summary.schema === "pdbench/summary@1") return summary as Summary;
  } catch {
    // Not JSON: no summary either.
  }
  throw new InputError(`${file}: not the summary of a run, expected "schema": "pdbench/summary@1"`);
}

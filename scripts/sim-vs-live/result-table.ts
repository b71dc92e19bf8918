import { figureDifference, figureTitle, figureValue } from "../../src/cli/compare.js";
import { textTable, type TextColumn } from "../../src/report/text-table.js";
import type { LiveComparison } from "./live-run.js";
import { spreadText, type TieSpread } from "./tie-spread.js";

/**
 * A case in print: one row for a figure, simulated and then live with its difference, and what else is known.
 *
 * @param spreads How far the simulation itself moves with other draws of ties; null = not shown.
 */
export function caseText(
  title: string,
  comparisons: readonly LiveComparison[],
  spreads: readonly TieSpread[] | null,
): string {
  const column = (header: string, group = ""): TextColumn => ({ group, header, align: "right" });
  const columns: TextColumn[] = [{ group: "", header: "", align: "left" }, column("simulated")];
  if (spreads !== null) columns.push(column("other ties"));
  for (const { title: live } of comparisons) columns.push(column("", live), column("difference", live));
  const rows = comparisons[0]!.figures.map((figure, row) => [
    figureTitle(figure),
    figureValue(figure, "first"),
    ...(spreads === null ? [] : [spreadText(spreads[row]!)]),
    ...comparisons.flatMap(({ figures }) => [
      figureValue(figures[row]!, "second"),
      figureDifference(figures[row]!),
    ]),
  ]);
  const table = textTable(columns, rows);
  const remarks = comparisons.map(
    ({ title: live, decisions, divergences, conditions }) =>
      `${live}: ${decisions} decisions, ${divergences} made otherwise by a fresh core; ${conditions}`,
  );
  return `${[title, ...table.header, ...table.rows, ...remarks].join("\n")}\n`;
}

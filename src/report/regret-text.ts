import type { LegRegret } from "../sweep/regret/regret-study.js";
import { formatCount, formatNumber, formatShare } from "./format.js";
import { textTable, wrap, type TextColumn } from "./text-table.js";

/** One point of a study of regret: the name of its settings, and a row for each leg. */
export interface RegretRows {
  readonly name: string;
  readonly legs: readonly LegRegret[];
}

const right = (group: string, header: string): TextColumn => ({ group, header, align: "right" });
const COLUMNS: readonly TextColumn[] = [
  { group: "", header: "leg", align: "left" },
  { group: "", header: "policy", align: "left" },
  right("decisions", "all"),
  right("decisions", "sample"),
  right("", "best"),
  right("TTFT ms", "got"),
  right("TTFT ms", "regret"),
  right("TTFT ms", "p50"),
  right("TTFT ms", "p90"),
  right("E2E ms", "got"),
  right("E2E ms", "regret"),
  right("E2E ms", "p90"),
];

/** The table of `pdbench regret`, at most 100 columns wide. */
export function regretText(scenario: string, points: readonly RegretRows[]): string {
  const rows = points.flatMap(({ legs }) => legs.map(cellsOf));
  const { header, rows: lines } = textTable(COLUMNS, rows);
  const table: string[] = [...header];
  let at = 0;
  for (const { name, legs } of points) {
    if (points.length > 1) table.push(name);
    table.push(...lines.slice(at, (at += legs.length)));
    if (legs.length === 0) table.push("no leg has a second worker, or no request completed");
  }
  const note =
    "got: mean of the sampled decisions; regret: how much less the best worker would have taken for that request " +
    "(mean, p50, p90); best: share of decisions that no other worker would have beaten on TTFT.";
  return `${scenario}: counterfactual regret\n\n${table.join("\n")}\n\n${wrap(note, 100).join("\n")}\n`;
}

function cellsOf({ leg, policy, decisions, sampled, best_share, ttft_ms, e2e_ms }: LegRegret): string[] {
  return [
    leg,
    policy,
    formatCount(decisions),
    formatCount(sampled),
    formatShare(best_share),
    formatNumber(ttft_ms.mean),
    formatNumber(ttft_ms.regret_mean),
    formatNumber(ttft_ms.regret_p50),
    formatNumber(ttft_ms.regret_p90),
    formatNumber(e2e_ms.mean),
    formatNumber(e2e_ms.regret_mean),
    formatNumber(e2e_ms.regret_p90),
  ];
}

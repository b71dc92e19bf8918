import { stringify } from "csv-stringify/sync";
import type { Interval } from "../../measure/intervals.js";
import { escapeText, table } from "../markdown.js";
import type { ComparedSide, Comparison } from "./compare.js";
import type { Side } from "./compared-runs.js";
import { comparisonHeaders, comparisonRow, INTERVAL_NOTE } from "./comparison-table.js";
import { outcomeOf } from "./comparison-words.js";

/** The comparison for a pull request or a wiki. */
export function comparisonMarkdown(comparison: Comparison): string {
  const { name, baseline, others, warnings, settings } = comparison;
  const sections = [
    `# ${escapeText(name)}`,
    warnings.map((warning) => `> **Warning:** ${escapeText(warning)}`).join("\n>\n"),
    ...others.flatMap((held) => {
      const [headline, ...rest] = held.words;
      return [
        `**${escapeText(headline!)}**`,
        rest.map((words) => `- ${escapeText(words)}`).join("\n"),
        table(comparisonHeaders(baseline, held).map(escapeText), held.differences.map(comparisonRow), 1),
      ];
    }),
    INTERVAL_NOTE,
    settings.length === 0
      ? ""
      : table(
          ["setting that differs", ...sidesOf(comparison).map((side) => escapeText(side.name))],
          settings.map(({ setting, values }) => [setting, ...values.map(escapeText)]),
          1 + sidesOf(comparison).length,
        ),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

/**
 * Text of the CSV form: a row per side and metric. Differences are side minus baseline; numbers are the shortest
 * decimals that read back as the same double, and a figure that does not exist is empty.
 */
export function comparisonCsv({ baseline, others }: Comparison): string {
  const header = [
    "run",
    "baseline",
    "metric",
    "value",
    "baseline_value",
    "difference",
    "difference_low",
    "difference_high",
    "relative",
    "relative_low",
    "relative_high",
    "outcome",
    "why_no_interval",
    "paired_by",
    "n",
  ];
  const rows = others.flatMap(({ side, pairing, differences }) =>
    differences.map((one) => [
      side.name,
      baseline.name,
      one.metric.name,
      one.other,
      one.base,
      ...ends(one.absolute),
      ...ends(one.relative),
      outcomeOf(one),
      one.why,
      pairing.by,
      one.absolute?.low == null ? null : one.absolute.n,
    ]),
  );
  return stringify([header, ...rows], { escape_formulas: true });
}

/** Text of the JSON twin (`pdbench/comparison@1`). */
export function comparisonJson(comparison: Comparison): string {
  const { name, baseline, others, warnings, settings } = comparison;
  const document = {
    schema: "pdbench/comparison@1",
    name,
    baseline: sideJson(baseline),
    others: others.map((held) => ({
      ...sideJson(held.side),
      pairing: pairingJson(held),
      metrics: Object.fromEntries(
        held.differences.map((one) => [
          one.metric.name,
          {
            value: one.other,
            baseline: one.base,
            difference: intervalJson(one.absolute),
            relative: intervalJson(one.relative),
            outcome: outcomeOf(one),
            why_no_interval: one.why,
          },
        ]),
      ),
      words: held.words,
    })),
    warnings,
    settings,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The baseline and the others, in the order in which they are shown. */
export function sidesOf({ baseline, others }: Comparison): readonly Side[] {
  return [baseline, ...others.map(({ side }) => side)];
}

function sideJson({ name, runs }: Side): object {
  return {
    name,
    runs: runs.map(({ name: run, seed, isLive, summary }) => ({
      name: run,
      seed,
      live: isLive,
      versions: summary.versions ?? null,
      workload_hash: summary.workload_hash ?? null,
    })),
  };
}

function pairingJson({ pairing }: ComparedSide): object {
  switch (pairing.by) {
    case "request":
      return { by: pairing.by, requests: pairing.pairs.base.length, drifts: pairing.drifts };
    case "seed":
      return { by: pairing.by, seeds: pairing.seeds };
    case "unpaired_seeds":
      return { by: pairing.by };
    case "nothing":
      return { by: pairing.by, why: pairing.why };
  }
}

function ends(interval: Interval | null): readonly (number | null)[] {
  return [interval?.mean ?? null, interval?.low ?? null, interval?.high ?? null];
}

function intervalJson(interval: Interval | null): unknown {
  if (interval === null) return null;
  const { mean, low, high, n, method } = interval;
  return low === null ? { mean, low, high, n: null, method: null } : { mean, low, high, n, method };
}

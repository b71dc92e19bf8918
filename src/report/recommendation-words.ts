import { capitalised, formatChange, formatChangeInterval, formatCount } from "./format.js";
import { formatMetric, formatMetricWithUnit } from "./metrics.js";
import type { Change } from "./point-statistics.js";
import { statisticsOf } from "./point-statistics.js";
import type { Recommendation } from "./recommendation.js";
import { choicesOf, conditionWords } from "./conditions.js";
import { alwaysDisaggregates, pointName, settingsWords, shortNameOf, valueWords } from "./setting-words.js";

const NAMED_AT_MOST = 3;

/** What a recommendation says, in sentences: what to do and what it gains, then what to know about it. */
export function recommendationWords(found: Omit<Recommendation, "words">): readonly string[] {
  return [
    headline(found),
    ...levelWords(found),
    ...costWords(found),
    ...alikeWords(found),
    ...flipWords(found),
    ...edgeWords(found),
    ...found.elsewhere.map((other) => other.words[0]!),
    ...failureWords(found),
    ...stoppedWords(found),
  ];
}

/** `goodput +18 % over always-disaggregate, 95 % interval +14 to +22 %`, or the like where less is known. */
export function gainWords({ gain, baseline, judgedBy }: Omit<Recommendation, "words">): string {
  const over = `over ${baselineWords(baseline)}`;
  if (gain === null) return `${judgedBy.label} cannot be compared with ${baselineWords(baseline)}`;
  const { relative, absolute } = gain;
  const level = `${Math.round(absolute.level * 100)} % interval`;
  if (relative === null) {
    const ends = absolute.low === null ? "one seed" : `${level} ${range(gain)}`;
    return `${judgedBy.label} ${formatMetricWithUnit(judgedBy, absolute.mean)} more than ${baselineWords(baseline)} (${ends})`;
  }
  const ends =
    relative.low === null || relative.high === null
      ? "one seed, so no interval"
      : `${level} ${formatChangeInterval(relative.low, relative.high)}`;
  return `${judgedBy.label} ${formatChange(relative.mean)} ${over}, ${ends}`;
}

/** What a baseline is called in a sentence. */
export function baselineWords(baseline: Recommendation["baseline"]): string {
  return alwaysDisaggregates(baseline.settings)
    ? "always-disaggregate"
    : pointName(choicesOf(baseline.settings));
}

/** `TTFT p99 +12 % (1,020 to 1,140 ms)` */
export function changeWords(change: Change, found: Pick<Recommendation, "point" | "baseline">): string {
  const { metric, relative } = change;
  const from = formatMetric(metric, statisticsOf(found.baseline, metric)?.mean ?? null);
  const to = formatMetricWithUnit(metric, statisticsOf(found.point, metric)?.mean ?? null);
  const size = metric.isShare || relative === null ? "" : ` ${formatChange(relative.mean)}`;
  return `${metric.label}${size} (${from} to ${to})`;
}

function range({ metric, absolute }: Change): string {
  return `${formatMetric(metric, absolute.low)} to ${formatMetricWithUnit(metric, absolute.high)}`;
}

function headline(found: Omit<Recommendation, "words">): string {
  const what = settingsWords(choicesOf(found.settings));
  const condition = conditionWords(found.settings);
  return capitalised(
    condition === "" ? verdictWords(found, what) : `at ${condition}: ${verdictWords(found, what)}`,
  );
}

function verdictWords(found: Omit<Recommendation, "words">, what: string): string {
  const advice = what === "" ? `use ${pointName(found.settings)}` : what;
  switch (found.verdict) {
    case "baseline_is_best": {
      const value = statisticsOf(found.point, found.objective)?.mean ?? null;
      const best = `${found.objective.label} ${formatMetricWithUnit(found.objective, value)}`;
      return what === ""
        ? `${best}; there is nothing to choose between.`
        : `${advice}: no other point is better than this baseline, ${best}.`;
    }
    case "better":
    case "one_seed":
      return `${advice}; ${gainWords(found)}.`;
    case "no_detectable_difference":
      return (
        `no detectable difference from ${baselineWords(found.baseline)}. ` +
        `The best mean: ${advice}; ${gainWords(found)}.`
      );
  }
}

function levelWords({ objective, point, decidedByScore }: Omit<Recommendation, "words">): readonly string[] {
  if (!decidedByScore) return [];
  const value = statisticsOf(point, objective)?.mean ?? null;
  if (value === 0 && objective.better === "higher") {
    return [
      sentence(`${objective.label} is 0 at every point, so the score decided: relax the SLO or add workers`),
    ];
  }
  const level = `${objective.label} (${formatMetricWithUnit(objective, value)})`;
  return [sentence(`the best points are level in ${level}, so the score decided among them`)];
}

function costWords(found: Omit<Recommendation, "words">): readonly string[] {
  if (found.verdict === "baseline_is_best") return [];
  const costs = withoutTwins(found.costs)
    .map((change) => changeWords(change, found))
    .join(", ");
  if (costs !== "") return [`It costs: ${costs}.`];
  const judged = found.gain?.absolute.low !== null;
  return judged ? ["Nothing else that is measured gets detectably worse."] : [];
}

/** Leaves out the p99 of a latency whose p90 is there too: one of them tells the story. */
function withoutTwins(changes: readonly Change[]): readonly Change[] {
  const names = changes.map(({ metric }) => metric.name);
  return changes.filter(
    ({ metric }) =>
      !names.some((name) => name.replace(/p90$/, "p99") === metric.name && name !== metric.name),
  );
}

function alikeWords({ alike, judgedBy }: Omit<Recommendation, "words">): readonly string[] {
  if (alike.length === 0) return [];
  const names = alike.slice(0, NAMED_AT_MOST).map((point) => pointName(choicesOf(point.settings)));
  const more = alike.length > names.length ? ` and ${formatCount(alike.length - names.length)} more` : "";
  return [`Not detectably different in ${judgedBy.label}: ${names.join(", ")}${more}.`];
}

function flipWords({ flips }: Omit<Recommendation, "words">): readonly string[] {
  return flips.map(
    ({ metric, point, there, here }) =>
      `If ${metric.label} mattered most: ${pointName(choicesOf(point.settings))} ` +
      `(${formatMetricWithUnit(metric, there)} instead of ${formatMetric(metric, here)}).`,
  );
}

function edgeWords({ edges }: Omit<Recommendation, "words">): readonly string[] {
  return edges.map(({ setting, value, end }) => {
    const beyond = end === "largest" ? "larger" : "smaller";
    return `${shortNameOf(setting)} ${valueWords(value)} is the ${end} value swept: ${beyond} ones may be better still.`;
  });
}

function failureWords({ failures }: Omit<Recommendation, "words">): readonly string[] {
  if (failures.length === 0) return [];
  const names = failures
    .slice(0, NAMED_AT_MOST)
    .map(({ point, error }) => `${pointName(point.settings)} (${error})`);
  const more = failures.length > names.length ? ` and ${failures.length - names.length} more` : "";
  const count = failures.length === 1 ? "1 point failed and is" : `${failures.length} points failed and are`;
  return [`${count} left out: ${names.join(", ")}${more}.`];
}

function stoppedWords({ stopped }: Omit<Recommendation, "words">): readonly string[] {
  if (stopped.length === 0) return [];
  const names = stopped.slice(0, NAMED_AT_MOST).map((point) => pointName(point.settings));
  const more = stopped.length > names.length ? ` and ${formatCount(stopped.length - names.length)} more` : "";
  const what =
    stopped.length === 1
      ? "1 point is left out: it was stopped early, since it could no longer reach the attainment asked for"
      : `${formatCount(stopped.length)} points are left out: they were stopped early, since they could no longer reach the ` +
        "attainment asked for";
  return [`${what} (${names.join(", ")}${more}).`];
}

function sentence(text: string): string {
  return `${capitalised(text)}.`;
}

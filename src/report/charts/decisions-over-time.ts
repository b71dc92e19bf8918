import { formatCount, formatNumber } from "../format.js";
import type { LegDecision } from "../leg-decisions.js";
import { type Chart, CONTAINER } from "./chart.js";
import { BESIDE_TIME, TIME_AXIS, TIME_BINS, timeScale } from "./time-axis.js";

/** Rows of the strip of workers at most; larger fleets have several workers in a row. */
const ROWS_AT_MOST = 24;
const ROW_HEIGHT = 22;

/** The decisions of one leg of a run. */
export interface DecidedLeg {
  readonly leg: "prefill" | "decode";
  /** In the order of the fleet. */
  readonly workers: readonly string[];
  readonly decisions: readonly LegDecision[];
  /** Where the charts' time ends. */
  readonly endS: number;
  /** From the log, with the policy's branch; else the decider's, as of arrival. */
  readonly areLogged: boolean;
}

/** The branches of a leg, the most frequent first: the order of the chart's colours. */
export function branchesOf({ decisions }: Pick<DecidedLeg, "decisions">): readonly string[] {
  const counts = new Map<string, number>();
  for (const { branch } of decisions) counts.set(branch, (counts.get(branch) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([branch]) => branch);
}

/** How many decisions a leg took over the run, stacked by the branch that made them. */
export function branchesOverTimeChart(decided: DecidedLeg): Chart {
  const { leg, decisions, endS, areLogged } = decided;
  const branches = branchesOf(decided);
  const values = countsOf(decisions, endS, ({ branch }) => branch).map(({ name, ...bin }) => ({
    ...bin,
    branch: name,
    order: branches.indexOf(name),
  }));
  return {
    id: `timeline-branches-${leg}`,
    title: `Decisions by branch: ${leg}`,
    caption: areLogged
      ? `The branch of the policy that chose the worker. Every decision counts, ${periodWords(endS)}.`
      : `The branch of the decider, as of arrival (the policy's is known of runs made with --decisions). Every decision counts, ${periodWords(endS)}.`,
    isOverTime: true,
    spec: {
      ...CONTAINER,
      height: 120,
      data: { values },
      mark: { type: "bar", binSpacing: 0, clip: true },
      encoding: {
        ...BINNED_TIME(endS),
        y: {
          field: "decisions",
          type: "quantitative",
          stack: "zero",
          title: "decisions",
          axis: { ...BESIDE_TIME, tickCount: 4 },
        },
        color: {
          field: "branch",
          type: "nominal",
          sort: [...branches],
          legend: null,
          scale: { domain: [...branches] },
        },
        order: { field: "order", type: "quantitative" },
        tooltip: [
          { field: "period", title: "time" },
          { field: "branch", title: "branch" },
          { field: "text", title: "decisions" },
        ],
      },
    },
  };
}

/** Where a leg sent its requests over the run: a row for each worker, stronger in colour where it got more. */
export function sentOverTimeChart({ leg, workers, decisions, endS }: DecidedLeg): Chart {
  const perRow = Math.ceil(workers.length / ROWS_AT_MOST);
  const rowOf = new Map(
    workers.map((worker, i) => [worker, rowName(workers, Math.floor(i / perRow), perRow)]),
  );
  const values = countsOf(decisions, endS, ({ worker }) =>
    worker === null ? undefined : (rowOf.get(worker) ?? worker),
  ).map(({ name, ...bin }) => ({ ...bin, worker: name }));
  const rows = [...new Set([...rowOf.values(), ...values.map(({ worker }) => worker)])];
  const together = perRow === 1 ? "" : ` ${formatCount(perRow)} workers share a row.`;
  return {
    id: `timeline-sent-${leg}`,
    title: `Requests sent to each worker: ${leg}`,
    caption: `Stronger colour = more. A row that stays empty = a worker that is passed over.${together}`,
    isOverTime: true,
    spec: {
      ...CONTAINER,
      height: ROW_HEIGHT * Math.max(2, rows.length),
      data: { values },
      mark: { type: "rect", clip: true },
      encoding: {
        ...BINNED_TIME(endS),
        y: {
          field: "worker",
          type: "nominal",
          sort: rows,
          scale: { domain: rows },
          title: "worker",
          axis: BESIDE_TIME,
        },
        color: {
          field: "decisions",
          type: "quantitative",
          legend: null,
          scale: { zero: true, nice: false },
        },
        tooltip: [
          { field: "period", title: "time" },
          { field: "worker", title: "worker" },
          { field: "text", title: "requests" },
        ],
      },
    },
  };
}

/** The period of a value from `from_s` to `to_s`. */
const BINNED_TIME = (endS: number) =>
  ({
    x: {
      field: "from_s",
      type: "quantitative",
      bin: { binned: true },
      title: "time, s",
      scale: timeScale(endS),
      axis: TIME_AXIS,
    },
    x2: { field: "to_s" },
  }) as const;

/** Decisions by period and name, in order of time; those without a name are left out. */
function countsOf(
  decisions: readonly LegDecision[],
  endS: number,
  nameOf: (decision: LegDecision) => string | undefined,
) {
  const bins = Array.from({ length: TIME_BINS }, () => new Map<string, number>());
  for (const decision of decisions) {
    const name = nameOf(decision);
    if (name === undefined) continue;
    const bin = bins[Math.min(TIME_BINS - 1, Math.floor((decision.timeS / endS) * TIME_BINS))]!;
    bin.set(name, (bin.get(name) ?? 0) + 1);
  }
  return bins.flatMap((bin, i) => {
    const [from, to] = [i, i + 1].map((edge) => Math.round(((edge * endS) / TIME_BINS) * 1000) / 1000);
    return [...bin].map(([name, count]) => ({
      from_s: from!,
      to_s: to!,
      name,
      decisions: count,
      period: `${formatNumber(from!)} to ${formatNumber(to!)} s`,
      text: formatCount(count),
    }));
  });
}

function periodWords(endS: number): string {
  return `in periods of ${formatNumber(endS / TIME_BINS)} s`;
}

function rowName(workers: readonly string[], row: number, perRow: number): string {
  const own = workers.slice(row * perRow, (row + 1) * perRow);
  return own.length === 1 ? own[0]! : `${own[0]!} to ${own.at(-1)!}`;
}

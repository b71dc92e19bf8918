import { formatCount, formatShare } from "../format.js";
import { summariesOf } from "../point-statistics.js";
import { pointName, shortNameOf } from "../setting-words.js";
import { type Chart, CONTAINER } from "./chart.js";
import { axisLabel, type SweepSlice } from "./sweep-slice.js";

/** How many requests took each branch of the routing decision, along one setting and at one value of the others. */
export function decisionBranchesChart(slice: SweepSlice): Chart {
  const values = slice.points.flatMap((point) => {
    const [summary] = summariesOf(point);
    const branches = Object.entries(summary?.routing.branches ?? {});
    const total = branches.reduce((sum, [, count]) => sum + count, 0);
    return branches.map(([branch, count]) => ({
      x: axisLabel(point.settings[slice.axis.setting]),
      branch,
      share: total === 0 ? 0 : (100 * count) / total,
      point: pointName(point.settings),
      text: `${formatCount(count)} (${formatShare(total === 0 ? 0 : count / total)})`,
    }));
  });
  return {
    id: "branches",
    title: "Decisions by branch",
    caption: "Which rule decided where requests went (first seed).",
    spec: {
      ...CONTAINER,
      height: 220,
      data: { values },
      mark: { type: "bar" },
      encoding: {
        x: {
          field: "x",
          type: "ordinal",
          sort: null,
          title: shortNameOf(slice.axis.setting),
          axis: { labelAngle: 0, labelOverlap: "greedy", labelSeparation: 6, labelLimit: 110 },
        },
        y: {
          field: "share",
          type: "quantitative",
          stack: "zero",
          title: "requests, %",
          scale: { domain: [0, 100] },
          axis: { tickCount: 5 },
        },
        color: { field: "branch", type: "nominal", sort: null, legend: null },
        tooltip: [
          { field: "point", title: "point" },
          { field: "branch", title: "branch" },
          { field: "text", title: "requests" },
        ],
      },
    },
  };
}

/** Names of all branches of a slice, in the order of the chart's colours. */
export function branchNames(slice: SweepSlice): readonly string[] {
  const names = slice.points.flatMap((point) => Object.keys(summariesOf(point)[0]?.routing.branches ?? {}));
  return [...new Set(names)];
}

import { capitalised, formatNumber } from "../format.js";
import type { RequestRow } from "../run-files-reader.js";
import { type Chart, CONTAINER } from "./chart.js";

/** The stages of a request, in their order. The first four add up to TTFT. */
export const STAGES = ["queue", "prefill", "KV transfer", "other before the first token", "decode"] as const;

/** How much of a request a chart shows. */
export type BreakdownRange = "whole request" | "until the first token";

/** Mean time of completed requests in each stage, by path: where latency comes from. */
export function timeBreakdownChart(requests: readonly RequestRow[], range: BreakdownRange): Chart {
  const stages = range === "whole request" ? STAGES : STAGES.slice(0, -1);
  const paths = [...new Set(requests.map(({ path }) => path))].filter((path) => path !== "").sort();
  const values = paths.flatMap((path) => {
    const done = requests.filter((one) => one.path === path && !Number.isNaN(one.e2eMs));
    if (done.length === 0) return [];
    const label = path.replaceAll("_", " ");
    return stages.map((stage, order) => {
      const ms = done.reduce((sum, request) => sum + stagesMs(request)[order]!, 0) / done.length;
      return { path: label, stage, order, ms, text: `${formatNumber(ms)} ms on average` };
    });
  });
  return {
    id: `time-breakdown-${range.replaceAll(" ", "-")}`,
    title: capitalised(range),
    caption: "Mean over completed requests.",
    spec: {
      ...CONTAINER,
      height: 44 * Math.max(1, paths.length),
      data: { values },
      mark: { type: "bar" },
      encoding: {
        y: { field: "path", type: "nominal", title: null, axis: { labelLimit: 110 } },
        x: { field: "ms", type: "quantitative", stack: "zero", title: "ms", axis: { tickCount: 5 } },
        color: {
          field: "stage",
          type: "nominal",
          sort: [...STAGES],
          legend: null,
          scale: { domain: [...STAGES] },
        },
        order: { field: "order", type: "quantitative" },
        tooltip: [
          { field: "path", title: "path" },
          { field: "stage", title: "stage" },
          { field: "text", title: "time" },
        ],
      },
    },
  };
}

/** Times of STAGES; a stage that did not happen takes none. */
export function stagesMs({ queueMs, prefillMs, kvTransferMs, ttftMs, e2eMs }: RequestRow): readonly number[] {
  const [queue, prefill, transfer] = [queueMs, prefillMs, kvTransferMs].map((ms) =>
    Number.isNaN(ms) ? 0 : ms,
  );
  const other = Math.max(0, ttftMs - queue! - prefill! - transfer!);
  return [queue!, prefill!, transfer!, other, e2eMs - ttftMs];
}

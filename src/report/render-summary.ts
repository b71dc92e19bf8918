import type { Balance, Distribution, Slo, Summary } from "../measure/summary.js";
import { formatCount, formatDuration, formatNumber, formatShare, MISSING } from "./format.js";
import type { TerminalOptions } from "./terminal-style.js";
import { styleFor, widthFor } from "./terminal-style.js";
import type { TextColumn } from "./text-table.js";
import { textTable, textTableWidth, wrap } from "./text-table.js";

/** The latencies of a summary, by label and key. */
export const LATENCY_ROWS = [
  ["TTFT", "ttft_ms"],
  ["ITL", "itl_ms"],
  ["TPOT", "tpot_ms"],
  ["E2E", "e2e_ms"],
  ["Queue", "queue_ms"],
  ["KV transfer", "kv_transfer_ms"],
] as const satisfies readonly (readonly [string, keyof Summary])[];

/** What is shown of a distribution, in this order. */
export const STATISTICS = [
  "mean",
  "p50",
  "p75",
  "p90",
  "p95",
  "p99",
  "max",
] as const satisfies readonly (keyof Distribution)[];
const NARROW_STATISTICS = ["mean", "p50", "p90", "p99", "max"] as const;
const LABEL_WIDTH = 13;
const WORKERS_AT_MOST = 32;

/** The summary of one run for a terminal. */
export function renderSummary(summary: Summary, options: TerminalOptions = {}): string {
  const style = styleFor(options);
  const width = widthFor(options);
  const { requests } = summary;
  const title = `${formatCount(requests.total)} requests in ${formatDuration(summary.duration_s)}`;
  const latencies = latencyTable(summary, width);
  const workers = workerTable(summary, width);
  const facts = factsOf(summary).flatMap(([label, text]) => {
    const [first, ...rest] = wrap(text, width - LABEL_WIDTH);
    return [
      `${style.bold(label.padEnd(LABEL_WIDTH))}${first!}`,
      ...rest.map((line) => " ".repeat(LABEL_WIDTH) + line),
    ];
  });
  const notes = summary.notes.flatMap((note) => wrap(`Note: ${note}`, width, "  "));
  const sections = [
    [`${style.bold(summary.scenario)}  ${title}`],
    [...latencies.header.map(style.dim), ...latencies.rows],
    facts,
    summary.workers.length === 0 ? [] : [...workers.header.map(style.dim), ...workers.rows],
    notes,
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function latencyTable(summary: Summary, width: number) {
  const build = (statistics: readonly (keyof Distribution)[]) => {
    const columns: TextColumn[] = [
      { group: "", header: "ms", align: "left" },
      ...statistics.map((header): TextColumn => ({ group: "", header, align: "right" })),
    ];
    const rows = LATENCY_ROWS.map(([label, key]) => [
      label.padEnd(LABEL_WIDTH),
      ...statistics.map((statistic) => formatNumber(summary[key][statistic])),
    ]);
    return { columns, rows };
  };
  const wide = build(STATISTICS);
  const { columns, rows } =
    textTableWidth(wide.columns, wide.rows) <= width ? wide : build(NARROW_STATISTICS);
  return textTable(columns, rows);
}

/** Everything a summary says beside its latencies, as names and sentences. */
export function factsOf(summary: Summary): readonly (readonly [string, string])[] {
  const { requests, goodput, throughput, cache, routing, balance, score, simulator } = summary;
  const ended = `${formatCount(requests.completed)} completed, ${formatCount(requests.failed)} failed, ${formatCount(requests.cancelled)} cancelled`;
  const terms = Object.entries(score.terms).map(([name, term]) => `${name} ${term.toFixed(2)}`);
  return [
    ["Requests", ended],
    [
      "Goodput",
      `${formatNumber(goodput.requests_per_s)} requests/s; ${formatShare(goodput.attainment)} of requests ${sloWords(goodput.slo)}`,
    ],
    [
      "Throughput",
      `${formatNumber(throughput.requests_per_s)} requests/s, ${formatNumber(throughput.input_tokens_per_s)} input ` +
        `and ${formatNumber(throughput.output_tokens_per_s)} output tokens/s`,
    ],
    ["Cache hits", cacheWords(cache)],
    [
      "Routing",
      `${formatCount(routing.disaggregated)} disaggregated, ${formatCount(routing.decode_only)} decode only` +
        (Object.keys(routing.branches).length === 0 ? "" : ` (${countWords(routing.branches)})`),
    ],
    ...(routing.leg_branches === undefined
      ? []
      : ([["Choices", choiceWords(routing.leg_branches)]] as const)),
    [
      "Balance",
      `busiest worker over mean: prefill ${imbalance(balance.prefill.busy)}, decode ${imbalance(balance.decode.busy)}`,
    ],
    ["Score", `${formatNumber(score.value)} of 100 (${terms.join(", ")})`],
    ...(simulator === undefined
      ? []
      : ([
          [
            "Simulated",
            `in ${formatDuration(simulator.wall_s)}: ${formatNumber(simulator.requests_per_s)} requests/s, ` +
              `${formatCount(simulator.events)} events, ${formatCount(simulator.steps)} steps`,
          ],
        ] as const)),
  ];
}

/** The summary without how long the simulation took, which differs from run to run. */
export function withoutWallTime(summary: Summary): Summary {
  return Object.fromEntries(
    Object.entries(summary).filter(([key]) => key !== "simulator"),
  ) as unknown as Summary;
}

/** What a request has to meet: `meet TTFT <= 2,000 ms and TPOT <= 50 ms`. */
export function sloWords(slo: Slo): string {
  const objectives = [
    ["TTFT", slo.ttft_ms],
    ["TPOT", slo.tpot_ms],
    ["E2E", slo.e2e_ms],
  ] as const;
  const asked = objectives.flatMap(([name, ms]) =>
    ms === null ? [] : [`${name} <= ${ms.toLocaleString("en-US")} ms`],
  );
  return asked.length === 0 ? "complete (no SLO set)" : `meet ${asked.join(" and ")}`;
}

function cacheWords(cache: Summary["cache"]): string {
  if (cache.hit_rate === null) return "unknown: the workload has no block ids";
  const legs = [
    ["prefill workers", cache.prefill_hit_rate],
    ["decode workers", cache.decode_hit_rate],
  ] as const;
  const known = legs.flatMap(([leg, rate]) => (rate === null ? [] : [`${leg} ${formatShare(rate)}`]));
  const detail = known.length === 0 ? "" : ` (${known.join(", ")})`;
  return `${formatShare(cache.hit_rate)} of prompt tokens${detail}`;
}

/** `always 2,000`, `cache_hit 12, min_load 8`. */
function countWords(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${formatCount(count)}`)
    .join(", ");
}

function choiceWords({ prefill, decode }: NonNullable<Summary["routing"]["leg_branches"]>): string {
  const legs = [
    ["prefill", countWords(prefill)],
    ["decode", countWords(decode)],
  ] as const;
  const made = legs.flatMap(([leg, words]) => (words === "" ? [] : [`${leg} ${words}`]));
  return made.length === 0 ? "none" : made.join("; ");
}

function imbalance({ max_over_mean }: Balance): string {
  return max_over_mean === null ? MISSING : max_over_mean.toFixed(2);
}

/** False for a worker of a live run, of which only the requests are known: one that had some ran one at least. */
export function isObserved({ requests, max_running }: Summary["workers"][number]): boolean {
  return requests === 0 || max_running > 0;
}

function workerTable({ workers }: Summary, width: number) {
  const right = (header: string): TextColumn => ({ group: "", header, align: "right" });
  const columns: TextColumn[] = [
    { group: "", header: "Worker", align: "left" },
    right("requests"),
    right("busy"),
    right("max running"),
    right("max waiting"),
    right("KV peak"),
    right("hits"),
    right("preemptions"),
  ];
  const rows = workers.slice(0, WORKERS_AT_MOST).map((worker) => {
    const ofEngine = isObserved(worker) ? (text: string) => text : () => MISSING;
    return [
      worker.id,
      formatCount(worker.requests),
      ofEngine(formatShare(worker.utilization)),
      ofEngine(formatCount(worker.max_running)),
      ofEngine(formatCount(worker.max_waiting)),
      ofEngine(formatShare(worker.kv_peak)),
      formatShare(worker.hit_rate),
      ofEngine(formatCount(worker.preemptions)),
    ];
  });
  while (textTableWidth(columns, rows) > width) {
    columns.pop();
    for (const row of rows) row.pop();
  }
  const { header, rows: lines } = textTable(columns, rows);
  const left = workers.length - rows.length;
  return { header, rows: left > 0 ? [...lines, `${formatCount(left)} more workers in summary.json`] : lines };
}

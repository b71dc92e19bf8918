import type { ExplainedRequest, LoggedCandidate, LoggedDecision, LoggedLeg } from "./explain-request.js";
import { formatCount, formatNumber, formatShare, MISSING } from "./format.js";
import { textTable, wrap, type TextColumn } from "./text-table.js";

const WIDTH = 100;

const PATHS = {
  disaggregated: "prefilled by one worker and decoded by another",
  decode_only: "prefilled and decoded by one worker",
  rejected: "turned away",
} as const;

/** What `pdbench explain` prints: the decision in words, the workers it was made among, and what became of it. */
export function explanationText({ decision, row }: ExplainedRequest): string {
  const { request, decider, branch, path, figures, at_ms } = decision;
  const tokens = formatCount(Number(row["input_tokens"]));
  return [
    `Request ${request}: ${tokens} prompt tokens, arrived at ${formatNumber(at_ms / 1000)} s.`,
    ...wrap(`Decider ${decider}, branch ${branch}${inBrackets(figures)}: ${PATHS[path]}.`, WIDTH, "  "),
    ...legSection("Prefill", "prefill", decision),
    ...legSection("Decode", "decode", decision),
    "",
    ...way(decision, row),
    "",
  ].join("\n");
}

function legSection(title: string, leg: "prefill" | "decode", decision: LoggedDecision): string[] {
  const chosen = decision[leg];
  if (chosen === null) {
    const isLate = leg === "decode" && decision.path === "disaggregated";
    return isLate ? ["", "Decode: ended before the worker was chosen."] : [];
  }
  const lateMs = leg === "decode" ? decision.decode_at_ms : undefined;
  const when = lateMs === undefined ? "" : ` at ${formatNumber(lateMs / 1000)} s, after the prefill,`;
  const { worker, policy, branch, figures } = chosen;
  return [
    "",
    ...wrap(`${title}:${when} ${worker} by ${policy}, branch ${branch}${inBrackets(figures)}.`, WIDTH, "  "),
    ...candidateTable(chosen, decision.candidates?.[leg] ?? [], lateMs ?? decision.at_ms),
  ];
}

function inBrackets(figures: LoggedLeg["figures"]): string {
  const words = Object.entries(figures).map(
    ([name, value]) => `${name} ${typeof value === "string" ? value : formatFigure(value)}`,
  );
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}

function formatFigure(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : formatNumber(value);
}

const COLUMNS = ["worker", "open", "open tokens", "to prefill"];
const STATISTICS = ["running", "waiting", "KV use", "age, ms"];

function candidateTable(chosen: LoggedLeg, candidates: readonly LoggedCandidate[], atMs: number): string[] {
  if (candidates.length === 0) return [];
  const hasStatistics = candidates.some(({ running }) => running !== undefined);
  const hasIndex = candidates.some(({ cached_tokens }) => cached_tokens !== null);
  const headers = [
    "",
    ...COLUMNS,
    ...(hasIndex ? ["held tokens"] : []),
    ...(hasStatistics ? STATISTICS : []),
  ];
  const columns = headers.map((header, i): TextColumn => ({
    group: "",
    header,
    align: i < 2 ? "left" : "right",
  }));
  const rows = candidates.map((candidate) => [
    candidate.worker === chosen.worker ? ">" : "",
    candidate.worker,
    formatCount(candidate.open),
    formatCount(candidate.open_tokens),
    formatCount(candidate.prefill_tokens),
    ...(hasIndex ? [formatCount(candidate.cached_tokens ?? 0)] : []),
    ...(hasStatistics ? statisticsOf(candidate, atMs) : []),
  ]);
  const { header, rows: lines } = textTable(columns, rows);
  return [...header, ...lines];
}

function statisticsOf({ running, waiting, kv_usage, stats_at_ms }: LoggedCandidate, atMs: number): string[] {
  if (stats_at_ms === undefined) return STATISTICS.map(() => MISSING);
  return [
    formatCount(running!),
    formatCount(waiting!),
    formatShare(kv_usage!),
    formatCount(atMs - stats_at_ms),
  ];
}

/** What became of the request, step by step. */
function way({ path, prefill }: LoggedDecision, row: ExplainedRequest["row"]): string[] {
  const ms = (column: string): string => formatNumber(row[column] === "" ? null : Number(row[column]));
  if (path === "rejected") return ["No worker took it."];
  const decodeWorker = row["decode_worker"] === "" ? "no decode worker" : row["decode_worker"]!;
  const cached = `${formatCount(Number(row["cached_tokens"]))} prompt tokens found in the prefix cache`;
  const steps = [
    ["waited in queues", `${ms("queue_ms")} ms`],
    ["prefill", `${ms("prefill_ms")} ms on ${prefill?.worker ?? decodeWorker}, ${cached}`],
    ...(prefill === null ? [] : [["KV transfer", `${ms("kv_transfer_ms")} ms to ${decodeWorker}`]]),
    ["first token", `${ms("ttft_ms")} ms after arrival`],
    ["then", `${ms("tpot_ms")} ms a token, ${formatCount(Number(row["output_tokens"]))} tokens in all`],
    ["ended", `${row["status"]!}, ${ms("e2e_ms")} ms after arrival`],
    ["preempted", `${row["preemptions"]!} times`],
  ];
  const width = Math.max(...steps.map(([label]) => label!.length));
  return ["Its way:", ...steps.map(([label, words]) => `  ${label!.padEnd(width)}  ${words!}`)];
}

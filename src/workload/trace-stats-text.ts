import type { HitRatioStats, LengthStats, TraceStats } from "./trace-stats.js";

/** The statistics of a trace for people, at most 100 columns wide. */
export function traceStatsText(stats: TraceStats): string {
  return [
    headline(stats),
    ...lengthLines(stats),
    ...arrivalLines(stats),
    ...prefixLines(stats),
    ...stats.notes.map((note) => `note: ${note}`),
    "",
  ].join("\n");
}

function headline({ trace, requests, duration_s, requests_per_s }: TraceStats): string {
  const rate = requests_per_s === null ? "all at once" : `${count(requests_per_s, 2)} requests/s`;
  return `${trace}\n${count(requests)} requests in ${count(duration_s)} s, ${rate}\n`;
}

function lengthLines({ input_tokens, output_tokens, requests_per_s }: TraceStats): string[] {
  const line = (name: string, { mean, p50, p99, max }: LengthStats): string => {
    const perS = requests_per_s === null ? "-" : count(mean * requests_per_s);
    return row(name, [count(mean, 1), count(p50, 1), count(p99, 1), count(max), perS]);
  };
  return [
    row("tokens", ["mean", "p50", "p99", "max", "per second"]),
    line("input", input_tokens),
    line("output", output_tokens),
    "",
  ];
}

function arrivalLines({ tick_s, sessions }: TraceStats): string[] {
  const lines: string[] = [];
  if (tick_s > 0)
    lines.push(`arrivals have ticks of ${count(tick_s, 3)} s; replays spread them (see --no-jitter)`);
  if (sessions !== null) {
    lines.push(`${count(sessions.count)} sessions of ${count(sessions.turns_mean, 2)} turns on average`);
  }
  return lines.length > 0 ? [...lines, ""] : [];
}

function prefixLines({ blocks, sharing, hit_ratio }: TraceStats): string[] {
  const blockTokens = blocks.block_tokens;
  if (blockTokens === null || sharing === null) return ["no block ids: prefix hit ratios are unknown"];
  const withOutput = hit_ratio.infinite_with_output;
  const shared = `${count(sharing.shared_blocks)} of them in more than one request`;
  return [
    `prompt blocks of ${blockTokens} tokens: ${count(blocks.total)}, ${count(blocks.distinct)} different, ${shared}`,
    `prompts found in an unlimited cache: ${percent(sharing.requests_over_half)} by more than half, ` +
      `${percent(sharing.requests_over_nine_tenths)} by more than 90 %`,
    "",
    row("prefix hit ratio", ["of blocks", "of tokens", "cache tokens"]),
    hitLine("unlimited", hit_ratio.infinite, "-"),
    ...(withOutput === null ? [] : [hitLine("unlimited, with output", withOutput, "-")]),
    ...hit_ratio.lru.map((pool) =>
      hitLine(`LRU, ${count(pool.capacity_blocks)} blocks`, pool, count(pool.capacity_blocks * blockTokens)),
    ),
  ];
}

function hitLine(name: string, { blocks, tokens }: HitRatioStats, capacity: string): string {
  return row(name, [percent(blocks), percent(tokens), capacity]);
}

const NAME_WIDTH = 24;
const CELL_WIDTH = 14;

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(CELL_WIDTH)).join("");
}

function count(value: number, digits = 0): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

function percent(ratio: number | null): string {
  return ratio === null ? "-" : `${(100 * ratio).toFixed(2)} %`;
}

import type { Executor } from "../../src/sweep/executor.js";
import { formatCount, formatNumber, formatShare } from "../../src/report/format.js";
import { table } from "../../src/report/markdown.js";
import type { SweepPoint } from "../../src/sweep/sweep-result.js";
import { meanOf, page, withChange, withInterval, type Figure } from "./page.js";
import { sharedData, sweep, type Settings, type Story } from "./story.js";

const SCENARIO = "preset-league";
const TRACE = "traces/mooncake-conversation.jsonl";
const REQUESTS = 3000;

const CONDITIONS = [
  { fleet: "4P4D", prefill: 4, decode: 4, load: "light", rate: 1.5 },
  { fleet: "4P4D", prefill: 4, decode: 4, load: "near saturation", rate: 3 },
  { fleet: "10P6D", prefill: 10, decode: 6, load: "light", rate: 4 },
  { fleet: "10P6D", prefill: 10, decode: 6, load: "near saturation", rate: 7.5 },
] as const;

type Condition = (typeof CONDITIONS)[number];

/** One setting of a preset changed, to see what it is worth. */
const CHANGES: readonly { readonly label: string; readonly preset: string; readonly settings: Settings }[] = [
  {
    label: "vllm-router, decode load held until the stream ends",
    preset: "vllm-router",
    settings: { "router.load_accounting.decode_release": "stream_end" },
  },
  {
    label: "llm-d, disaggregating at 2,048 uncached tokens",
    preset: "llm-d",
    settings: { "router.decider.disaggregate_at_uncached_tokens": 2048 },
  },
  {
    label: "production-stack-conditional, routing_threshold 4,096",
    preset: "production-stack-conditional",
    settings: { routing_threshold: 4096 },
  },
];

const score: Figure = (summary) => summary.score.value;

interface League {
  readonly condition: Condition;
  /** Best score first. */
  readonly ranked: readonly SweepPoint[];
}

/** Every preset on one trace, two fleets and two loads. */
export const presetLeague: Story = {
  name: SCENARIO,
  needs: [TRACE],
  async render(execute) {
    const leagues: League[] = [];
    for (const condition of CONDITIONS) {
      const points = await pointsOf(execute, condition);
      leagues.push({ condition, ranked: points.toSorted((a, b) => meanOf(b, score)! - meanOf(a, score)!) });
    }
    return page("League table of presets", [SCENARIO], [
      `Each public router with the settings it ships with, on the first ${formatCount(REQUESTS)} requests of the Mooncake conversation trace ` +
        "with Poisson arrivals, Llama 3.1 70B in FP8 on H100 TP 4. Score and objectives (TTFT 2 s, TPOT 50 ms) as in docs/metrics.md; " +
        "means of 5 seeds ± the half-width of the 95 % interval.",
      "## Places by score",
      table(["preset", ...leagues.map(({ condition }) => nameOf(condition))], places(leagues), 1),
      [
        "- vllm-router-regular does not disaggregate at all, and llm-d does not unless `disaggregate_at_uncached_tokens` is set: both use the " +
          "decode workers only and leave the prefill workers idle. Their rows show what that default does to a fleet with prefill workers.",
        "- vllm-router takes decode load to be 0 while responses stream ([why](decode-load-at-headers.md)), so that one decode worker gets nearly " +
          "all requests; the more decode workers there are, the more it loses.",
        "- production-stack and production-stack-conditional are the same router until `routing_threshold` is set.",
        "- A preset is the product's routing with its defaults, not the product: each lists what it leaves out (`src/routing/presets/`). No default was tuned " +
          "to this traffic, and a tuned product can overtake all of these.",
      ].join("\n"),
      "## What one setting is worth",
      "Score with the setting changed, and the change from the preset as shipped, paired by seed; (=) where its 95 % interval holds 0.",
      table(["", ...leagues.map(({ condition }) => nameOf(condition))], await changes(execute, leagues), 1),
      ...leagues.map(league),
    ]);
  },
};

async function pointsOf(
  execute: Executor,
  condition: Condition,
  settings: Settings = {},
): Promise<readonly SweepPoint[]> {
  const { points } = await sweep(execute, SCENARIO, {
    trace: sharedData(TRACE),
    requests: REQUESTS,
    prefill_workers: condition.prefill,
    decode_workers: condition.decode,
    rate: condition.rate,
    ...settings,
  });
  return points;
}

async function changes(execute: Executor, leagues: readonly League[]): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { label, preset, settings } of CHANGES) {
    const row = [label];
    for (const { condition, ranked } of leagues) {
      const [changed] = await pointsOf(execute, condition, { preset, ...settings });
      const shipped = ranked.find((point) => presetOf(point) === preset)!;
      row.push(withChange(changed!, shipped, score));
    }
    rows.push(row);
  }
  return rows;
}

function nameOf({ fleet, load, rate }: Condition): string {
  return `${fleet}, ${load} (${rate} requests/s)`;
}

function presetOf({ settings }: SweepPoint): string {
  return String(settings["preset"]);
}

/** A row for each preset, in the order of its summed places. */
function places(leagues: readonly League[]): string[][] {
  const rows = leagues[0]!.ranked.map(presetOf).map((preset) => ({
    preset,
    places: leagues.map(({ ranked }) => placeOf(ranked, preset)),
  }));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return rows
    .toSorted((a, b) => sum(a.places) - sum(b.places) || (a.preset < b.preset ? -1 : 1))
    .map(({ preset, places }) => [preset, ...places.map(String)]);
}

/** Presets of equal score share a place. */
function placeOf(ranked: readonly SweepPoint[], preset: string): number {
  const own = meanOf(ranked.find((point) => presetOf(point) === preset)!, score);
  return ranked.findIndex((point) => meanOf(point, score) === own) + 1;
}

function league({ condition, ranked }: League): string {
  const leader = ranked[0]!;
  const rows = ranked.map((point) => [
    presetOf(point),
    withChange(point, leader, score),
    withInterval(point, ({ ttft_ms }) => ttft_ms.p50),
    withInterval(point, ({ ttft_ms }) => ttft_ms.p99),
    withInterval(point, ({ itl_ms }) => itl_ms.p99),
    withInterval(point, ({ cache }) => cache.hit_rate, formatShare),
    withInterval(point, ({ goodput }) => goodput.requests_per_s),
    formatShare(meanOf(point, ({ goodput }) => goodput.attainment)),
  ]);
  const header = [
    "preset",
    "score (change from the first)",
    "TTFT p50, ms",
    "TTFT p99, ms",
    "ITL p99, ms",
    "hit rate",
    "goodput, requests/s",
    "in SLO",
  ];
  const closest = ranked[1]!;
  const margin = `${presetOf(leader)} leads ${presetOf(closest)} by ${formatNumber(meanOf(leader, score)! - meanOf(closest, score)!)} points of score.`;
  return [`## ${nameOf(condition)}`, table(header, rows, 1), margin].join("\n\n");
}

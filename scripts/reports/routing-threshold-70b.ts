import { formatNumber, formatShare } from "../../src/report/format.js";
import { table } from "../../src/report/markdown.js";
import type { SweepPoint } from "../../src/sweep/sweep-result.js";
import { meanOf, page, withChange, type Figure } from "./page.js";
import { observe, sweep, type Settings, type Story } from "./story.js";

const SCENARIO = "routing-threshold-70b";
const RULE_OF_THUMB = 4096;
/** A threshold that no prompt of the traffic reaches. */
const NEVER = 65_536;

const CONDITIONS = [
  { prompts: "short", tokens: 1000, load: "light", rate: 2 },
  { prompts: "short", tokens: 1000, load: "heavy", rate: 14 },
  { prompts: "long", tokens: 8000, load: "light", rate: 0.5 },
  { prompts: "long", tokens: 8000, load: "heavy", rate: 2.5 },
] as const;

type Condition = (typeof CONDITIONS)[number];

const score: Figure = (summary) => summary.score.value;
const attainment: Figure = ({ goodput }) => goodput.attainment;

/** Where the threshold of conditional disaggregation lies for a 70B model. */
export const routingThreshold70b: Story = {
  name: SCENARIO,
  needs: [],
  async render(execute) {
    const results: { condition: Condition; points: readonly SweepPoint[] }[] = [];
    for (const condition of CONDITIONS) {
      const { points } = await sweep(execute, SCENARIO, {
        "workload.generate.input_tokens_mean": condition.tokens,
        rate: condition.rate,
      });
      results.push({ condition, points });
    }
    return page("Routing threshold for a 70B model", [SCENARIO], [
      "production-stack #890 disaggregates prompts of at least `--routing-threshold` tokens and leaves shorter ones to a decode " +
        "worker. Its rule of thumb for 70B models is 4,096. Here: Llama 3.1 70B in FP8 on 8 H100 (2 prefill + 2 decode workers of " +
        "TP 2), log-normal prompts (cv 1), 250 tokens out, objectives TTFT 2 s and TPOT 50 ms, means over 3 seeds.",
      "Best = highest score (TTFT and ITL, see docs/metrics.md). In brackets the change from the best threshold, paired by " +
        "seed, or (=) where its 95 % interval holds 0.",
      table(
        ["prompts", "load, requests/s", "best threshold", "score", "always (0)", "4,096", "never", "in SLO: best", "always (0)", "4,096", "never"],
        results.map(({ condition, points }) => verdictRow(condition, points)),
        3,
      ),
      [
        "- **Right** where prompts are short and load is light: prefills are rare and short, so doing most of them locally saves the transfer and the second queue. ITL p99 pays for it (see below).",
        "- **Too high** for short prompts under heavy load: 4,096 sends nearly every prefill to the decode workers, whose running " +
          "streams then stall for the length of each chunk. ITL p99 grows with the threshold while prefill workers idle.",
        "- **Too low** for long prompts: nearly all are disaggregated and two prefill workers are the bottleneck; about 8,192 splits the work. Never " +
          "disaggregating is best only while load is light.",
        "- The optimum follows the load: it balances the prefill leg against the decode leg. One figure per model cannot be right for all traffic.",
      ].join("\n"),
      "The measurements behind the published figure (410 configurations on 8 H100) are not public; ours are simulated.",
      "## Equality",
      await equality(),
      ...results.map(({ condition, points }) => detail(condition, points)),
    ]);
  },
};

function verdictRow(condition: Condition, points: readonly SweepPoint[]): string[] {
  const best = bestOf(points);
  const fixed = [0, RULE_OF_THUMB, NEVER].map((threshold) => pointAt(points, threshold));
  return [
    `${condition.prompts} (${condition.tokens} tokens on average)`,
    `${condition.load} (${condition.rate})`,
    thresholdName(best),
    formatNumber(meanOf(best, score)),
    ...fixed.map((point) => withChange(point, best, score)),
    formatShare(meanOf(best, attainment)),
    ...fixed.map((point) => formatShare(meanOf(point, attainment))),
  ];
}

function bestOf(points: readonly SweepPoint[]): SweepPoint {
  return points.reduce((best, point) => (meanOf(point, score)! > meanOf(best, score)! ? point : best));
}

function pointAt(points: readonly SweepPoint[], threshold: number): SweepPoint {
  return points.find(({ settings }) => settings["routing_threshold"] === threshold)!;
}

function thresholdName({ settings }: SweepPoint): string {
  const threshold = settings["routing_threshold"] as number;
  return threshold === 0 ? "0 (always)" : threshold === NEVER ? "never" : String(threshold);
}

function detail({ prompts, load, rate }: Condition, points: readonly SweepPoint[]): string {
  const rows = points.map((point) => [
    thresholdName(point),
    formatShare(meanOf(point, ({ routing }) => routing.disaggregated / (routing.disaggregated + routing.decode_only))),
    formatNumber(meanOf(point, ({ ttft_ms }) => ttft_ms.p50)),
    formatNumber(meanOf(point, ({ ttft_ms }) => ttft_ms.p90)),
    formatNumber(meanOf(point, ({ itl_ms }) => itl_ms.p90)),
    formatNumber(meanOf(point, ({ itl_ms }) => itl_ms.p99)),
    formatShare(meanOf(point, attainment)),
    formatNumber(meanOf(point, score)),
  ]);
  const header = ["threshold", "disaggregated", "TTFT p50, ms", "TTFT p90, ms", "ITL p90, ms", "ITL p99, ms", "in SLO", "score"];
  return [`## ${prompts === "short" ? "Short" : "Long"} prompts, ${load} load (${rate} requests/s)`, table(header, rows, 1)].join("\n\n");
}

/** What happens to a prompt of 4,096 tokens at thresholds around it. */
async function equality(): Promise<string> {
  const fixed: Settings = {
    "workload.generate.input_distribution": "fixed",
    "workload.generate.input_tokens_mean": RULE_OF_THUMB,
    requests: 50,
  };
  const rows: string[][] = [];
  for (const threshold of [RULE_OF_THUMB - 1, RULE_OF_THUMB, RULE_OF_THUMB + 1]) {
    const { summary } = await observe(SCENARIO, { ...fixed, routing_threshold: threshold });
    rows.push([String(threshold), `${summary.routing.disaggregated} of ${summary.requests.total}`]);
  }
  return [
    "A prompt of exactly the threshold is disaggregated (`>=`; an earlier `>` was a regression). Prompts of 4,096 tokens:",
    table(["threshold", "disaggregated"], rows, 1),
  ].join("\n\n");
}

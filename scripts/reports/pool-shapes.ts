import { formatNumber, formatShare } from "../../src/report/format.js";
import { table } from "../../src/report/markdown.js";
import type { Summary } from "../../src/measure/summary.js";
import type { SweepPoint } from "../../src/sweep/sweep-result.js";
import { meanOf, page, withChange } from "./page.js";
import { sweep, type Story } from "./story.js";

const SCENARIO = "pool-shapes";

/** Shapes, each with a light and a heavy load in requests per second. */
const SHAPES = [
  { name: "2P1D", prefill: 2, decode: 1, rates: [7, 14] },
  { name: "1P2D", prefill: 1, decode: 2, rates: [6, 11] },
  { name: "2P4D", prefill: 2, decode: 4, rates: [12, 22] },
];

/** Strategies of production-stack's PD routing, for three shapes. */
export const poolShapes: Story = {
  name: SCENARIO,
  needs: [],
  async render(execute) {
    const rows: string[][] = [];
    for (const shape of SHAPES) {
      for (const rate of shape.rates) {
        const { points } = await sweep(execute, SCENARIO, {
          prefill_workers: shape.prefill,
          decode_workers: shape.decode,
          rate,
        });
        rows.push(...points.map((point) => rowOf(shape.name, rate, point, points[0]!)));
      }
    }
    const header = ["shape", "requests/s", "policy", "TTFT p50, ms", "TTFT p99, ms", "ITL p99, ms", "busiest prefill / mean", "in SLO"];
    return page("Round robin, random, QPS in one PD pool", [SCENARIO], [
      "production-stack #587 and #890: the same strategy picks among the prefill and among the decode endpoints. Prompts of 3,000 tokens " +
        "on average (cv 1.2), 300 tokens out, Poisson arrivals; means over 5 seeds. In brackets the change from round robin, paired by seed, where its 95 % interval excludes 0; (=) where it does not.",
      table(header, rows, 3),
      [
        "- `qps` takes the endpoint with the lowest request rate of the last 60 s; with equal endpoints that is a round robin.",
        "- `least_loaded` goes by statistics scraped every 30 s: between two scrapes all requests go to the one worker that " +
          "looked least loaded, which is worse than chance wherever a leg has more than one worker.",
        "- Where a leg has one worker, no strategy has anything to choose there: in 1P2D TTFT is the same to within what the decode side does.",
      ].join("\n"),
    ]);
  },
};

function rowOf(shape: string, rate: number, point: SweepPoint, baseline: SweepPoint): string[] {
  return [
    shape,
    String(rate),
    String(point.settings["policy"]),
    withChange(point, baseline, ({ ttft_ms }) => ttft_ms.p50),
    withChange(point, baseline, ({ ttft_ms }) => ttft_ms.p99),
    withChange(point, baseline, ({ itl_ms }) => itl_ms.p99),
    formatNumber(meanOf(point, busiestPrefill)),
    formatShare(meanOf(point, ({ goodput }) => goodput.attainment)),
  ];
}

/** Busy time of the busiest prefill worker over the mean of the leg. */
function busiestPrefill({ balance }: Summary): number | null {
  return balance.prefill.busy.max_over_mean;
}

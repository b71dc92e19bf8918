import { formatNumber, formatShare } from "../../src/report/format.js";
import type { RequestRecords } from "../../src/measure/records.js";
import { columns, page } from "./page.js";
import { observe, type ObservedRun, type Story } from "./story.js";

const SCENARIO = "session-id-lost";
const REACHES = ["both", "decode", "none"];

/** A session id that a hop renames, with and without normalisation. */
export const sessionIdLost: Story = {
  name: SCENARIO,
  needs: [],
  async render() {
    const runs: ObservedRun[] = [];
    for (const reaches of REACHES) {
      runs.push(await observe(SCENARIO, { "router.session_key_reaches": reaches }));
    }
    const row = (label: string, cell: (run: ObservedRun) => string) => [label, ...runs.map(cell)] as const;
    return page("Session id lost at a hop", [SCENARIO], [
      "A proxy between router and prefill leg rewrites `x-session-id` to `x_session_id` (WSGI-style gateways do), or the router does " +
        "not pass it on. The prefill leg then has no key for its session affinity and places every turn anywhere. Ray #63679 passes the id to the " +
        "prefill hop and matches its name whatever was done to case, `-` and `_`.",
      "Conversations of 8 turns on average, consistent hashing on both legs of 4 + 4 workers with Ray Serve's parameters.",
      columns(
        ["reaches both legs (normalised)", "lost on the way to prefill", "lost on both legs"],
        [
          row("later turns on the prefill worker of the turn before", ({ run }) =>
            formatShare(affinity(run.records, run.records.prefillWorker)),
          ),
          row("later turns on the decode worker of the turn before", ({ run }) =>
            formatShare(affinity(run.records, run.records.decodeWorker)),
          ),
          row("prefix hit rate", ({ summary }) => formatShare(summary.cache.hit_rate)),
          row("TTFT p50, ms", ({ summary }) => formatNumber(summary.ttft_ms.p50)),
          row("TTFT p99, ms", ({ summary }) => formatNumber(summary.ttft_ms.p99)),
          row("goodput (TTFT 500 ms, TPOT 20 ms)", ({ summary }) => formatShare(summary.goodput.attainment)),
        ],
      ),
      "Without the id one in four turns comes back to its worker by chance, and the hit rate falls to what several workers have come to hold of a " +
        "conversation. Losing it on the decode leg as well costs little more: there affinity only saves part of the KV transfer.",
    ]);
  },
};

/** Share of the later turns of sessions that went to the worker of the turn before. */
function affinity({ count, session }: RequestRecords, worker: Int16Array): number {
  const last = new Map<number, number>();
  let turns = 0;
  let same = 0;
  for (let row = 0; row < count; row++) {
    const before = last.get(session[row]!);
    last.set(session[row]!, worker[row]!);
    if (before === undefined) continue;
    turns++;
    if (before === worker[row]) same++;
  }
  return same / turns;
}

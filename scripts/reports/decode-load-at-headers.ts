import { formatCount, formatNumber, formatShare } from "../../src/report/format.js";
import { columns, page, requestsOf } from "./page.js";
import { observe, type ObservedRun, type Story } from "./story.js";

const SCENARIO = "decode-load-at-headers";
const RELEASE = "router.load_accounting.decode_release";

/** Decode load released at response headers, and held until the stream ends. */
export const decodeLoadAtHeaders: Story = {
  name: SCENARIO,
  needs: [],
  async render() {
    const before = await observe(SCENARIO, { [RELEASE]: "headers" });
    const after = await observe(SCENARIO, { [RELEASE]: "stream_end" });
    return page("Decode load released at headers", [SCENARIO], [
      "vllm-router in its vLLM PD mode took a streaming request off its decode worker's load as soon as the response " +
        "headers arrived, while the stream went on for seconds. `cache_aware` then compares loads that are always 0.",
      "Set-up of the published fix: `cache_aware` 0.5 / 32 / 1.1, one prefill and one decode URL of 4 data-parallel " +
        "ranks each (here 4 + 4 workers), streaming. Traffic is ours: one shared system prompt of about 2,000 tokens.",
      columns(["released at headers", "held until stream end"], rowsOf(before, after)),
      "Published for the fix: `max_load=39, min_load=2, is_unbalanced=true` and traffic over all ranks; before it " +
        `\`max_load=0, min_load=0, is_unbalanced=false\`. Ours with the fix: ${lastBalance(after)}. The exact pair depends ` +
        "on the traffic, which was not published; that the highest exceeds the lowest by just more than 32 does not: " +
        "affinity fills one worker until the difference passes `balance_abs_threshold`.",
      "The prefill leg looks the same in both columns: prefill responses are no streams, so their load was right " +
        "before, and too low to pass the thresholds. The rank that stored the shared prompt first serves nearly all of it: " +
        "it computes no more than the new tokens of a request, so it keeps up.",
    ]);
  },
};

function rowsOf(...runs: readonly ObservedRun[]): (readonly [string, ...string[]])[] {
  const row = (label: string, cell: (run: ObservedRun) => string) => [label, ...runs.map(cell)] as const;
  return [
    row("decode load seen, highest by worker", ({ highestDecodeLoads }) => highestDecodeLoads.join("/")),
    row("decisions by branch `balance`", (run) => formatCount(branchCount(run, "balance"))),
    row("decisions by branch `cache_hit`", (run) => formatCount(branchCount(run, "cache_hit"))),
    row("decisions by branch `min_load`", (run) => formatCount(branchCount(run, "min_load"))),
    row("requests by decode worker", ({ summary }) => requestsOf(summary, "decode")),
    row("requests by prefill worker", ({ summary }) => requestsOf(summary, "prefill")),
    row("most sequences running at once", ({ summary }) =>
      formatCount(Math.max(...summary.workers.map((worker) => worker.max_running))),
    ),
    row("ITL p50, ms", ({ summary }) => formatNumber(summary.itl_ms.p50)),
    row("ITL p99, ms", ({ summary }) => formatNumber(summary.itl_ms.p99)),
    row("TTFT p99, ms", ({ summary }) => formatNumber(summary.ttft_ms.p99)),
    row("E2E p99, ms", ({ summary }) => formatNumber(summary.e2e_ms.p99)),
    row("goodput (TTFT 500 ms, TPOT 20 ms)", ({ summary }) => formatShare(summary.goodput.attainment)),
  ];
}

function branchCount({ decisions }: ObservedRun, branch: string): number {
  return decisions.filter(({ decode }) => decode?.branch === branch).length;
}

/** The unbalanced decision with the highest load, as the product logs it. */
function lastBalance({ decisions }: ObservedRun): string {
  const unbalanced = decisions.flatMap(({ decode }) => (decode?.branch === "balance" ? [decode.figures] : []));
  const highest = unbalanced.toSorted((a, b) => b["max_load"]! - a["max_load"]!)[0];
  return highest === undefined
    ? "no unbalanced decision"
    : `\`max_load=${highest["max_load"]!}, min_load=${highest["min_load"]!}, is_unbalanced=true\``;
}

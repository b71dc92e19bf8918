import { formatChange, formatShare } from "../../src/report/format.js";
import type { Summary } from "../../src/measure/summary.js";
import { columns, meanOf, page, withInterval, type Figure } from "./page.js";
import { sweep, type Story } from "./story.js";

const SCENARIO = "prefill-leg-output";

const ROWS: readonly (readonly [label: string, figure: Figure, format?: typeof formatShare])[] = [
  ["prefill workers' busy time, s", busySeconds],
  ["prefill utilization", utilization, formatShare],
  ["TTFT p50, ms", ({ ttft_ms }) => ttft_ms.p50],
  ["TTFT p99, ms", ({ ttft_ms }) => ttft_ms.p99],
  ["ITL p99, ms", ({ itl_ms }) => itl_ms.p99],
  ["E2E p50, ms", ({ e2e_ms }) => e2e_ms.p50],
  ["goodput (TTFT 500 ms, TPOT 20 ms)", ({ goodput }) => goodput.attainment, formatShare],
];

/** A prefill leg that generates up to the client's limit, and one held to one token. */
export const prefillLegOutput: Story = {
  name: SCENARIO,
  needs: [],
  async render(execute) {
    const { points } = await sweep(execute, SCENARIO);
    const [one, all] = [points[0]!, points[1]!];
    const busier = meanOf(all, busySeconds)! / meanOf(one, busySeconds)! - 1;
    return page("Prefill leg that generates too much", [SCENARIO], [
      "vLLM generates up to `max_completion_tokens or max_tokens`. A proxy that forces only `max_tokens: 1` on the prefill leg " +
        "leaves the client's `max_completion_tokens` in force there (Ray before #63679): the prefill engine writes the whole " +
        "answer before it hands the KV cache over, and the decode engine writes it again.",
      columns(
        ["max_completion_tokens pinned to 1", "left as the client sent it"],
        ROWS.map(([label, figure, format]) => [
          label,
          withInterval(one, figure, format),
          withInterval(all, figure, format),
        ]),
      ),
      `Prefill workers are busy ${formatChange(busier)}, and a client waits for its first token as long as for a whole answer. ` +
        "Token gaps of the decode leg do not show it, which is why it goes unnoticed. Figures are means over 3 seeds " +
        "with 95 % intervals.",
    ]);
  },
};

function busySeconds({ workers }: Summary): number {
  return workers.reduce((sum, { role, busy_s }) => sum + (role === "prefill" ? busy_s : 0), 0);
}

function utilization({ workers }: Summary): number {
  const prefill = workers.filter(({ role }) => role === "prefill");
  return prefill.reduce((sum, worker) => sum + worker.utilization, 0) / prefill.length;
}

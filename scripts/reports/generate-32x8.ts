import { formatCount, formatNumber, formatShare } from "../../src/report/format.js";
import { table } from "../../src/report/markdown.js";
import { page, requestsOf } from "./page.js";
import { runInOrder, type OrderedRun, type SampleOrder } from "./sample-orders.js";
import { observe, type ObservedRun, type Settings, type Story } from "./story.js";

const SCENARIO = "generate-32x8";

/** A way to route the requests, and what was published for it (vllm-router #180); "" = nothing was. */
interface Variant {
  readonly label: string;
  readonly settings: Settings;
  readonly publishedHitRate: string;
  readonly publishedRequests: string;
}

const VARIANTS: readonly Variant[] = [
  {
    label: "round_robin",
    settings: { policy: "round_robin" },
    publishedHitRate: "about 60 %",
    publishedRequests: "64/64/64/64",
  },
  {
    label: "cache_aware",
    settings: { policy: "cache_aware" },
    publishedHitRate: "about 86 %",
    publishedRequests: "64/64/64/64",
  },
  {
    label: "consistent_hash, keyed by the prompt (864 tokens)",
    settings: { policy: "consistent_hash", "workload.generate.prompt_tokens_mean": 864 },
    publishedHitRate: "",
    publishedRequests: "",
  },
  {
    label: "consistent_hash, a key for each request",
    settings: { policy: "consistent_hash", "router.decode.keyless": "random" },
    publishedHitRate: "about 60 %",
    publishedRequests: "61/81/57/57",
  },
  {
    label: "consistent_hash, keyed by a constant",
    settings: { policy: "consistent_hash", "router.decode.keyless": "constant" },
    publishedHitRate: "",
    publishedRequests: "",
  },
  {
    label: "cache_aware, no load tracked",
    settings: { policy: "cache_aware", "router.load_accounting.never_counted": true },
    publishedHitRate: "",
    publishedRequests: "one takes all",
  },
  {
    label: "random",
    settings: { policy: "random" },
    publishedHitRate: "",
    publishedRequests: "",
  },
];

const late = (places: number): SampleOrder => ({
  label: `every prompt once, then again, each request up to ${places} places late`,
  place: (prompt, sample, random) => PROMPTS * sample + prompt + places * random.nextFloat(),
});
const clients = (count: number): SampleOrder => ({
  label: `${count} clients, each sends its prompt's samples one after the other`,
  place: (prompt, sample) => PROMPTS * sample + prompt,
  clients: count,
});

const PROMPTS = 32;
const ORDERS: readonly SampleOrder[] = [
  { label: "all samples of a prompt, then the next prompt (above)", place: () => 0 },
  { label: "every prompt once, then every prompt again", place: (_prompt, sample) => sample },
  late(2),
  late(3),
  late(4),
  late(8),
  { label: "shuffled", place: (_prompt, _sample, random) => random.nextFloat() },
  clients(32),
  clients(8),
];
const ORDER_SEEDS = [1, 2, 3];
const KEY_SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

/** Samples of shared prompts through the typed /inference/v1/generate route of vllm-router. */
export const generate32x8: Story = {
  name: SCENARIO,
  needs: [],
  async render() {
    const runs: ObservedRun[] = [];
    for (const { settings } of VARIANTS) runs.push(await observe(SCENARIO, settings));
    const header = [
      "policy",
      "hit rate",
      "published",
      "requests by engine",
      "published",
      "TTFT p99, ms",
      "duration, s",
    ];
    const rows = VARIANTS.map((variant, i) => rowOf(variant, runs[i]!));
    return page("/inference/v1/generate: 32 prompts x 8 samples over 4 engines", [SCENARIO], [
      "As measured for vllm-router #180: 256 requests, 8 for each of 32 prompts of 873 tokens, four engines that " +
        "prefill and decode (the decider never disaggregates). Published figures stand beside ours.",
      table(header, rows, 1),
      differences(runs[1]!),
      "## Which order of requests gives round robin 60 %?",
      "The engine that round robin gives a request to depends on nothing but its place among the requests, and a prompt is computed once " +
        "on each engine that its samples reach. About 60 % is 3.15 of 4 engines for each prompt.",
      table(["order of the 256 requests", "engines for each prompt", "hit rate"], await orderRows(), 1),
      await whatOrderSays(),
    ]);
  },
};

function rowOf({ label, publishedHitRate, publishedRequests }: Variant, { summary }: ObservedRun): string[] {
  return [
    label,
    formatShare(summary.cache.hit_rate),
    publishedHitRate,
    requestsOf(summary, "decode"),
    publishedRequests,
    formatNumber(summary.ttft_ms.p99),
    formatNumber(summary.duration_s),
  ];
}

async function orderRows(): Promise<string[][]> {
  const rows: string[][] = [];
  for (const order of ORDERS) {
    const runs = await inOrder(order, { policy: "round_robin" }, ORDER_SEEDS);
    rows.push([order.label, rangeOf(runs, "enginesPerPrompt", formatNumber), rangeOf(runs, "hitRate", formatShare)]);
  }
  return rows;
}

/** The one explanation that fits round robin, and why it does not fit consistent_hash. */
async function whatOrderSays(): Promise<string> {
  const keyed = await inOrder(ORDERS[0]!, { policy: "consistent_hash", "router.decode.keyless": "random" }, KEY_SEEDS);
  return [
    `- Ranges are those of ${ORDER_SEEDS.length} seeds. One kind of order gives 60 %: the client runs through all prompts before it comes back to the first, and ` +
      "its requests reach the router about three places out of order, as when they are sent at once over many connections. With more disorder it is as good as " +
      "shuffled. Clients that wait for an answer before the next sample come out as shuffled, too, since answers differ in length.",
    "- That explains round robin alone. consistent_hash with a key for each request does not look at the order: over " +
      `${KEY_SEEDS.length} draws of keys it hits ${rangeOf(keyed, "hitRate", formatShare)}, and about 60 % was published for it, too. ` +
      "What would lift both is a cache that was not empty when a run began; but then cache_aware, too, would stand above 86.6 %. " +
      "The published text settles it neither way, so we leave the difference of about 5 points open.",
  ].join("\n");
}

async function inOrder(order: SampleOrder, settings: Settings, seeds: readonly number[]): Promise<OrderedRun[]> {
  const runs: OrderedRun[] = [];
  for (const seed of seeds) runs.push(await runInOrder(SCENARIO, settings, order, seed));
  return runs;
}

/** `54.1 % to 56.4 %`, or one figure where all runs agree. */
function rangeOf(
  runs: readonly OrderedRun[],
  figure: keyof OrderedRun,
  format: (value: number) => string,
): string {
  const values = runs.map((run) => run[figure]);
  const [low, high] = [format(Math.min(...values)), format(Math.max(...values))];
  return low === high ? low : `${low} to ${high}`;
}

/** Share of the prompts' tokens that caches can hold when each prompt is computed `misses` times of 8. */
function blockHitRate(misses: number): string {
  const held = Math.floor(872 / 16) * 16;
  return formatShare(((8 - misses) / 8) * (held / 873));
}

function differences(cacheAware: ObservedRun): string {
  const branch = (name: string): string =>
    formatCount(cacheAware.decisions.filter(({ decode }) => decode?.branch === name).length);
  const distinct = 4 * (1 - (3 / 4) ** 8);
  return [
    "## Where ours differs, and why",
    [
      `- **cache_aware.** The published ceiling of 87.5 % is 7 of 8 requests. Caches hold whole blocks of 16 tokens, 54 of ` +
        `them (864 of 873 tokens), so that no engine can pass ${blockHitRate(1)}; that is what was measured there and what we get. ` +
        `Our decisions: ${branch("min_load")} by \`min_load\` (the first of each prompt), ${branch("cache_hit")} by \`cache_hit\`; ` +
        "published: 223 of 256 at match rate 1.0, one fewer.",
      `- **round_robin.** Sent in order, a prompt's 8 requests fall 2 and 2 on four engines: ${blockHitRate(4)}. Where the client's own ` +
        `concurrency shuffles them, ${formatNumber(distinct)} engines see each prompt on average: ${blockHitRate(distinct)} (row random). The published 60 % ` +
        "is above both; see the next section.",
      "- **consistent_hash.** With the prompt as the key, all 8 samples meet on one engine: the hit rate is at the ceiling and every " +
        "engine's count is a multiple of 8. (That row has prompts of 864 tokens: a simulated prompt is known by its blocks of 16, and the " +
        "last block of 873 tokens holds the first tokens of each sample's own answer, so that its hash would differ by sample.) 61/81/57/57 has no multiple of 8, and 60 % equals round robin's: in the published run each " +
        "request had a key of its own, as when the whole JSON with its seed is hashed. Our row of that kind has the same " +
        "shape; which engine gets more depends on the keys.",
      "- **No load tracking.** As through the transparent proxy before #180: every load reads 0, the first engine wins every tie, and " +
        "affinity keeps it. The hit rate is at the ceiling and the other three engines idle.",
    ].join("\n"),
  ].join("\n\n");
}

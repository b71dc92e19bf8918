import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { compareRunsSideBySide } from "../../src/report/comparison/compare.js";
import {
  comparisonCsv,
  comparisonJson,
  comparisonMarkdown,
} from "../../src/report/comparison/comparison-files.js";
import { outcomeOf } from "../../src/report/comparison/comparison-words.js";
import { renderComparison } from "../../src/report/comparison/render-comparison.js";
import { comparisonPage } from "../../src/report/html/comparison-page.js";
import { comparedRun } from "./comparison-builder.js";

const base = comparedRun("before");
/** Some requests come earlier, some later, by the same on average. */
const shuffled = comparedRun("shuffled", { later: (i) => (i % 2 === 0 ? 30 : -30) });
const slower = comparedRun("slower", { later: (i) => 20 + (i % 5) });
const only = (...runs: Parameters<typeof compareRunsSideBySide>[0]) => compareRunsSideBySide(runs).others[0]!;
const differenceIn = (held: ReturnType<typeof only>, name: string) =>
  held.differences.find(({ metric }) => metric.name === name)!;

describe("two runs of the same requests", () => {
  it("are held against each other request by request, so that a small change shows", () => {
    const held = only(base, slower);
    const ttft = differenceIn(held, "ttft_ms.mean");
    expect(held.pairing.by).toBe("request");
    expect(ttft.absolute!.mean).toBeCloseTo(22, 6);
    expect(ttft.absolute!.mean).toBeCloseTo(ttft.other! - ttft.base!, 6);
    expect(outcomeOf(ttft)).toBe("worse");
    expect(held.words[0]).toMatch(/^slower against before: worse in .*TTFT mean \(\+\d+ %\)/);
    expect(held.words[1]).toMatch(
      /^Detectably worse: .*TTFT mean \+\d+ % \([\d,]+ to [\d,]+ ms; 95 % interval /,
    );
    expect(held.words.join(" ")).toContain("later for 100.0 % (1,200 requests");
  });

  it("with no detectable difference are said to have none", () => {
    const held = only(base, shuffled);
    expect(outcomeOf(differenceIn(held, "ttft_ms.mean"))).toBe("no_detectable_difference");
    expect(only(base, comparedRun("again")).words[0]).toMatch(
      /^No detectable difference between again and before in goodput, TTFT mean, TTFT p90, /,
    );
  });

  it("have no interval for pooled token gaps and for a p99 of few requests, and are told why in every form", async () => {
    const few = compareRunsSideBySide([
      comparedRun("a", { requests: 500 }),
      comparedRun("b", { requests: 500 }),
    ]);
    const held = few.others[0]!;
    expect(outcomeOf(differenceIn(held, "ttft_ms.p99"))).toBe("no_interval");
    expect(outcomeOf(differenceIn(held, "ttft_ms.p90"))).toBe("no_detectable_difference");
    const few500 = "only 500 requests have it in both runs, it takes 1,000";
    expect(differenceIn(held, "ttft_ms.p99").why).toBe(few500);
    const pooled = "token gaps are kept pooled, not request by request";
    expect(differenceIn(held, "itl_ms.p99").why).toBe(pooled);
    for (const text of [
      await comparisonPage(few),
      comparisonMarkdown(few),
      comparisonCsv(few),
      comparisonJson(few),
    ]) {
      expect(text.includes(few500) && text.includes(pooled)).toBe(true);
    }
    const terminal = renderComparison(few, { width: 200 });
    expect(terminal).toContain(`No interval for ITL p90, ITL p99: ${pooled}.`);
    expect(held.differences.every(({ absolute, why }) => (absolute?.low == null) === (why !== null))).toBe(
      true,
    );
  });

  it("have an interval of the mean token gap, weighted by the gaps of each request", () => {
    const held = only(base, comparedRun("later", { later: (i) => (i % 3) * 10 }));
    const itl = differenceIn(held, "itl_ms.mean");
    // The first token comes later and the last as much later: no gap changes.
    expect(itl.absolute!.mean).toBeCloseTo(0, 9);
    expect(outcomeOf(itl)).toBe("no_detectable_difference");
    const slowerTokens = comparedRun("slow", { msPerToken: 2 });
    const gap = differenceIn(only(base, slowerTokens), "itl_ms.mean");
    expect(gap.absolute!.mean).toBeCloseTo(2, 6);
    expect(outcomeOf(gap)).toBe("worse");
  });

  it("have an interval of throughput over equal parts of their own time", () => {
    const same = differenceIn(only(base, shuffled), "throughput.output_tokens_per_s");
    expect(outcomeOf(same)).toBe("no_detectable_difference");
    expect(same.absolute!.n).toBe(20);
    const half = differenceIn(
      only(base, comparedRun("half", { outputTokens: 26 })),
      "throughput.output_tokens_per_s",
    );
    expect(outcomeOf(half)).toBe("worse");
    expect(half.absolute!.mean).toBeCloseTo(half.other! - half.base!, 9);
    const short = only(base, comparedRun("short", { requests: 600 }));
    expect(differenceIn(short, "throughput.output_tokens_per_s").why).toBe("not every request ran in both");
  });

  it("have an interval of imbalance from their timelines", () => {
    const name = "balance.decode.busy.max_over_mean";
    const even = { busy: [0.7, 0.7] } as const;
    const uneven = { busy: [0.9, 0.5] } as const;
    const [a, b] = [comparedRun("a", even), comparedRun("b", uneven)];
    expect(outcomeOf(differenceIn(only(a, b), name))).toBe("worse");
    expect(outcomeOf(differenceIn(only(a, comparedRun("c", even)), name))).toBe("no_detectable_difference");
    expect(differenceIn(only(a, comparedRun("bare", { ...uneven, withoutTimeline: true })), name).why).toBe(
      "bare has no timeline.csv",
    );
    const brief = comparedRun("brief", { ...uneven, samples: 40 });
    expect(differenceIn(only(a, brief), name).why).toMatch(/fewer than 50 samples of each worker/);
  });

  it("are paired as far as both go where one ran fewer", () => {
    const { others, warnings } = compareRunsSideBySide([base, comparedRun("short", { requests: 600 })]);
    expect(others[0]!.pairing).toMatchObject({ by: "request", pairs: { base: { length: 600 } } });
    expect(warnings).toContain("Different numbers of requests: 1,200 in before, 600 in short.");
  });

  it("say so when neighbouring blocks drift together", () => {
    const drifting = only(base, comparedRun("drifting", { later: (i) => i / 10 }));
    expect(drifting.words.join(" ")).toContain("these intervals are too short");
    expect(only(base, slower).words.join(" ")).not.toContain("too short");
  });
});

describe("runs that cannot be paired by request", () => {
  it("are said not to be, with the reason, and have no interval", () => {
    const held = only(base, comparedRun("other", { inputTokens: (i) => 5000 - i }));
    expect(held.pairing.by).toBe("nothing");
    expect(held.words.join(" ")).toMatch(/request 0 has 500 prompt tokens in before and 5000 in other/);
    expect(held.words[0]).toContain("other against before, without intervals: goodput");
    expect(only(base, comparedRun("bare", { withoutRequests: true })).words.join(" ")).toContain(
      "bare has no requests.csv",
    );
  });

  it("are compared by seed, in pairs where they share seeds", () => {
    const seeds = (name: string, seedsOf: readonly number[], policy: string, ms: number) =>
      seedsOf.map((seed) =>
        comparedRun(`${name}-${seed}`, { seed, settings: { router: { policy } }, later: () => ms }),
      );
    const paired = compareRunsSideBySide([
      ...seeds("a", [1, 2, 3], "a", 0),
      ...seeds("b", [1, 2, 3], "b", 25),
    ]);
    expect(paired.baseline.name).toBe("a");
    expect(paired.others[0]!.pairing).toEqual({ by: "seed", seeds: [1, 2, 3] });
    const ttft = differenceIn(paired.others[0]!, "ttft_ms.mean");
    expect([ttft.absolute!.low, ttft.absolute!.high].map((end) => Math.round(end!))).toEqual([25, 25]);
    const apart = only(...seeds("a", [1, 2, 3], "a", 0), ...seeds("b", [4, 5, 6], "b", 25));
    expect(apart.pairing.by).toBe("unpaired_seeds");
    const wide = differenceIn(apart, "ttft_ms.mean").absolute!;
    expect(wide.high! - wide.low!).toBeGreaterThan(5);
  });
});

describe("what is not comparable", () => {
  it.each([
    [
      "other hash",
      { summary: { workload_hash: "0".repeat(64) } },
      /^Not the same workload: hash 9f2c9f2c9f2c/,
    ],
    [
      "other version",
      { summary: { versions: { pdbench: "0.2.0" } } },
      /versions of pdbench: 0\.1\.0 in .*0\.2\.0/,
    ],
    [
      "other profile",
      { settings: { fleet: { prefill: { profile: "p2" }, decode: { profile: "p2" } } } },
      /hardware profiles.*: p1 in before, p2 in other/,
    ],
    ["other load", { settings: { workload: { rate: 8 } } }, /load is not the same: .*rate 4 against 8/],
  ] as const)("is warned of: %s", (_, parts, message) => {
    const fleet = { prefill: { profile: "p1" }, decode: { profile: "p1" } };
    const settings = { fleet, workload: { rate: 4 } };
    const own = parts as Parameters<typeof comparedRun>[1] & { settings?: object };
    const runs = [
      comparedRun("before", { settings }),
      comparedRun("other", { ...own, settings: { ...settings, ...own.settings } }),
    ];
    const { warnings } = compareRunsSideBySide(runs);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(message);
  });

  it("is not said of a live run's scenario, which did not serve it", () => {
    const sim = comparedRun("sim", { settings: { fleet: { decode: { profile: "p1" } } } });
    const live = comparedRun("live", { settings: { replay: { url: "http://127.0.0.1:1" } } });
    const { warnings, settings } = compareRunsSideBySide([sim, live]);
    expect(warnings).toEqual([]);
    expect(settings.map(({ setting }) => setting)).toEqual(["replay.url"]);
  });

  it("refuses a baseline that is none of the runs", () => {
    expect(() => compareRunsSideBySide([base, slower], "slow")).toThrow(/did you mean "slower"/);
    expect(compareRunsSideBySide([base, slower], "slower").baseline.name).toBe("slower");
  });
});

describe("the forms of a comparison", () => {
  const comparison = compareRunsSideBySide([base, shuffled, slower]);

  it("state the same figures in HTML, Markdown, CSV, JSON and on the terminal", async () => {
    const html = await comparisonPage(comparison);
    const markdown = comparisonMarkdown(comparison);
    const terminal = renderComparison(comparison, { width: 100 });
    const rows: Record<string, string>[] = parse(comparisonCsv(comparison), { columns: true });
    const json = JSON.parse(comparisonJson(comparison)) as {
      others: {
        name: string;
        words: string[];
        metrics: Record<string, { value: number; difference: { low: number | null } }>;
      }[];
    };
    for (const { name, words, metrics } of json.others) {
      for (const text of words) expect(html.includes(text) && markdown.includes(text)).toBe(true);
      expect(terminal.replaceAll(/\n(- | {2})?/g, " ")).toContain(words[0]);
      for (const [metric, { value, difference }] of Object.entries(metrics)) {
        const row = rows.find((one) => one["run"] === name && one["metric"] === metric)!;
        expect(Number(row["value"])).toBe(value);
        expect(row["difference_low"] === "" ? null : Number(row["difference_low"])).toBe(difference.low);
        expect(html.includes(`data-value="${value}"`)).toBe(true);
      }
    }
  });

  it.each([100, 80, 72])("fit a terminal of %i columns", (width) => {
    const lines = renderComparison(comparison, { width }).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  });
});

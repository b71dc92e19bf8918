import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { branchesOf } from "../../src/report/charts/decisions-over-time.js";
import { rowsOf } from "../../src/report/charts/render-chart.js";
import { timelineCharts, timelineLegs } from "../../src/report/charts/run-charts.js";
import { readDecisions } from "../../src/report/explain-request.js";
import type { LegDecision } from "../../src/report/leg-decisions.js";
import { runReport } from "./run-report-builder.js";

const run = runReport();
const chartsOf = (report = run, leg = 0) => timelineCharts(timelineLegs(report)[leg]!);
const rows = (charts: ReturnType<typeof chartsOf>, id: string) =>
  rowsOf(charts.find((one) => one.id === id)!);
const sum = (all: ReturnType<typeof rows>) =>
  all.reduce((total, row) => total + (row["decisions"] as number), 0);

describe("decisions over time", () => {
  it("count every decision of a leg once, by branch and by worker", () => {
    const toPrefill = run.requests!.filter(({ prefillWorker }) => prefillWorker !== "").length;
    expect(sum(rows(chartsOf(), "timeline-branches-prefill"))).toBe(toPrefill);
    expect(sum(rows(chartsOf(), "timeline-sent-prefill"))).toBe(toPrefill);
    expect(sum(rows(chartsOf(run, 1), "timeline-branches-decode"))).toBe(run.requests!.length);
    const toOne = run.requests!.filter(({ decodeWorker }) => decodeWorker === "decode-1").length;
    const ofOne = rows(chartsOf(run, 1), "timeline-sent-decode").filter(
      ({ worker }) => worker === "decode-1",
    );
    expect(sum(ofOne)).toBe(toOne);
  });

  it("share one axis of time with the workers' state, in both legs", () => {
    const domains = [0, 1].flatMap((leg) =>
      chartsOf(run, leg).map(({ spec }) => {
        const { encoding } = spec as unknown as { encoding: { x: { scale: { domain: number[] } } } };
        return encoding.x.scale.domain;
      }),
    );
    expect(domains).toHaveLength(10);
    expect(new Set(domains.map(String))).toEqual(new Set(["0,299"]));
  });

  it("put a decision into the period that it was taken in", () => {
    const legDecisions: LegDecision[] = [
      { timeS: 0, leg: "decode", worker: "decode-0", branch: "lowest" },
      { timeS: 150, leg: "decode", worker: "decode-1", branch: "tie" },
      { timeS: 299, leg: "decode", worker: "decode-1", branch: "tie" },
      { timeS: 299, leg: "decode", worker: null, branch: "not routed" },
    ];
    const charts = timelineCharts(timelineLegs(runReport({ legDecisions })).at(-1)!);
    for (const { from_s: from, to_s: to, branch } of rows(charts, "timeline-branches-decode")) {
      const own = legDecisions.filter((one) => one.branch === branch);
      expect(own.some(({ timeS }) => timeS >= (from as number) && timeS <= (to as number))).toBe(true);
    }
    expect(rows(charts, "timeline-branches-decode")).toHaveLength(4);
    expect(rows(charts, "timeline-sent-decode")).toHaveLength(3);
    expect(branchesOf({ decisions: legDecisions })).toEqual(["tie", "lowest", "not routed"]);
  });

  it("have several workers in a row where a fleet is large, and say so", () => {
    const decode = run.summary.workers.find(({ role }) => role === "decode")!;
    const workers = Array.from({ length: 100 }, (_, i) => ({ ...decode, id: `decode-${i}` }));
    const large = runReport({ summary: { ...run.summary, workers } });
    const sent = timelineCharts(timelineLegs(large)[0]!).find(({ id }) => id === "timeline-sent-decode")!;
    expect(sent.caption).toContain("5 workers share a row");
    expect(new Set(rowsOf(sent).map(({ worker }) => worker))).toEqual(new Set(["decode-0 to decode-4"]));
    expect(sum(rowsOf(sent))).toBe(run.requests!.length);
  });

  describe("of a log", () => {
    let directory: string;
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), "pdbench-decisions-"));
    });
    afterEach(() => rm(directory, { recursive: true, force: true }));

    const line = (request: number, more: object) =>
      JSON.stringify({
        at_ms: request * 1000,
        request,
        path: "disaggregated",
        decider: "always",
        branch: "always",
        figures: {},
        prefill: null,
        decode: null,
        ...more,
        candidates: { prefill: [], decode: [] },
      });
    const legOf = (worker: string) => ({ worker, policy: "random", branch: "drawn", figures: {} });

    it("are of every request, a late decode choice at its own time, and in detail of those asked for", async () => {
      const lines = [
        line(0, { prefill: legOf("prefill-0"), decode: legOf("decode-0"), decode_at_ms: 700 }),
        line(1, { path: "decode_only", decode: legOf("decode-1") }),
        line(2, { path: "rejected" }),
      ];
      await writeFile(join(directory, "decisions.jsonl"), `${lines.join("\n")}\n`);
      const { byRequest, legs } = (await readDecisions(directory, new Set([1])))!;
      expect([...byRequest.keys()]).toEqual([1]);
      expect(byRequest.get(1)).not.toHaveProperty("candidates");
      expect(legs).toEqual([
        { timeS: 0, leg: "prefill", worker: "prefill-0", branch: "drawn" },
        { timeS: 0.7, leg: "decode", worker: "decode-0", branch: "drawn" },
        { timeS: 1, leg: "decode", worker: "decode-1", branch: "drawn" },
        { timeS: 2, leg: "decode", worker: null, branch: "not routed" },
      ]);
    });

    it("name the line that is not JSON", async () => {
      await writeFile(join(directory, "decisions.jsonl"), `${line(0, {})}\n{"at_ms":1,\n`);
      await expect(readDecisions(directory, new Set())).rejects.toThrow(
        /decisions\.jsonl:2: not a line of JSON/,
      );
    });
  });
});

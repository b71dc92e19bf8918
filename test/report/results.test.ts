import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { reportCommand } from "../../src/cli/report.js";
import { writeRunDirectory } from "../../src/measure/run-directory.js";
import { summarize } from "../../src/measure/summarize.js";
import { compareResults, readResults } from "../../src/report/read-results.js";
import { recommend } from "../../src/report/recommendation.js";
import { readRequests, readTimeline } from "../../src/report/run-files-reader.js";
import { reportOn, reportText } from "../../src/report/write-report.js";
import type { SweepResult } from "../../src/sweep/sweep-result.js";
import { runOf } from "../measure/run-builder.js";
import { realisticSweep, sweepOf } from "./sweep-builder.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pdbench-results-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function writeSweep(name: string, sweep: SweepResult): Promise<string> {
  const path = join(directory, name);
  await mkdir(path);
  await writeFile(join(path, "sweep.json"), JSON.stringify(sweep));
  return path;
}

async function writeRun(name: string, ttftMs: number, seed = 1): Promise<string> {
  const path = join(directory, name);
  const run = runOf(
    [{ sentMs: 0, queueMs: 5, prefillMs: 20, firstTokenMs: ttftMs, lastTokenMs: 500, outputTokens: 5 }],
    { timeline: [{ atMs: 500, worker: 1, running: 1, waiting: 0, kvUsage: 0.25 }] },
  );
  const slo = { ttft_ms: 100, tpot_ms: null, e2e_ms: null };
  const summary = summarize(run, { scenario: "s", settings: { seed }, slo });
  await writeRunDirectory(path, { run, summary, scenarioYaml: "name: s\n" });
  return path;
}

describe("reading results", () => {
  it("tells a sweep from a run, and reads the run's rows back", async () => {
    expect((await readResults(await writeSweep("sweep", realisticSweep([0])))).kind).toBe("sweep");
    const run = await writeRun("run", 42);
    expect((await readResults(run)).kind).toBe("run");
    expect(await readRequests(run)).toMatchObject([
      { id: 0, path: "decode_only", queueMs: 5, kvTransferMs: Number.NaN, ttftMs: 42, status: "completed" },
    ]);
    expect(await readTimeline(run)).toEqual([
      { timeS: 0.5, worker: "decode-0", running: 1, waiting: 0, kvUsage: 0.25 },
    ]);
  });

  it.each([
    ["a folder without results", null, /has neither sweep\.json nor summary\.json/],
    ["broken JSON", "{", /sweep\.json: not JSON/],
    ["another schema", '{"schema":"pdbench/sweep@9"}', /expected "pdbench\/sweep@1"/],
  ])("says what is wrong with %s", async (_name, text, message) => {
    if (text !== null) await writeFile(join(directory, "sweep.json"), text);
    await expect(readResults(directory)).rejects.toThrow(message);
  });

  it("says that a folder does not exist", async () => {
    await expect(readResults(join(directory, "none"))).rejects.toThrow(/no such directory/);
  });

  it("names the file and the column that is missing", async () => {
    await writeFile(join(directory, "requests.csv"), "id,path\n0,decode_only\n");
    await expect(readRequests(directory)).rejects.toThrow(/requests\.csv:1: column arrival_s is missing/);
  });
});

describe("comparing several results", () => {
  it("makes a point of each run, under its name and seed", async () => {
    const runs = [await writeRun("before", 90), await writeRun("after", 50)];
    const sweep = compareResults(await Promise.all(runs.map(readResults)));
    expect(sweep.points.map(({ settings }) => settings)).toEqual([{ run: "before" }, { run: "after" }]);
    expect(sweep.points.map(({ index }) => index)).toEqual([0, 1]);
    expect(recommend(sweep, { baseline: "before", objective: "ttft_ms.p50" })!.words[0]).toContain(
      "Use after; TTFT p50 -44 % over before, one seed",
    );
  });

  it("warns when two sweeps ran different workloads", async () => {
    const paths = [
      await writeSweep("a", realisticSweep([0])),
      await writeSweep("b", { ...realisticSweep([0]), workload_hash: "other" }),
    ];
    const { notes, points } = compareResults(await Promise.all(paths.map(readResults)));
    expect(notes.join(" ")).toContain("the workloads differ");
    expect(points[3]!.settings).toEqual({ run: "b", routing_threshold: 0, policy: "round_robin" });
  });

  it("wants directories of different names", async () => {
    const results = await readResults(await writeRun("same", 10));
    expect(() => compareResults([results, results])).toThrow(/two directories are called same/);
  });
});

describe("the forms of a report", () => {
  it("state the same figures in JSON, CSV, Markdown and HTML", async () => {
    const results = await readResults(await writeSweep("sweep", realisticSweep()));
    const report = await reportOn([results], {});
    const json = JSON.parse(await reportText(report, "json")) as {
      recommendation: { words: string[]; point: number };
      points: { metrics: Record<string, { mean: number; low: number }> }[];
    };
    const rows: Record<string, string>[] = parse(await reportText(report, "csv"), { columns: true });
    const markdown = await reportText(report, "md");
    const html = await reportText(report, "html");
    for (const words of json.recommendation.words) {
      expect(markdown.includes(words)).toBe(true);
      expect(html.includes(words)).toBe(true);
    }
    const recommended = rows.find((row) => row["recommended"] === "true")!;
    expect(Number(recommended["point"])).toBe(json.recommendation.point);
    json.points.forEach(({ metrics }, i) => {
      const ttft = metrics["ttft_ms.p90"]!;
      expect(Number(rows[i]!["ttft_ms_p90"])).toBe(ttft.mean);
      expect(Number(rows[i]!["ttft_ms_p90_low"])).toBe(ttft.low);
      expect(html.includes(`data-value="${ttft.mean}"`)).toBe(true);
    });
    expect(markdown.match(/^\| /gm)).toHaveLength(2 + json.points.length);
  });

  it("leave nothing of Markdown to chance in names", async () => {
    const sweep = sweepOf(realisticSweep([0]).points, { name: "a|b *c* <d>" });
    const text = await reportText({ kind: "sweep", sweep, recommendation: recommend(sweep) }, "md");
    expect(text.split("\n")[0]).toBe("# a|b \\*c\\* \\<d\\>");
  });

  it("of a single run are its own page and Markdown", async () => {
    const report = await reportOn([await readResults(await writeRun("alone", 42))], {});
    expect(report.kind).toBe("run");
    expect(await reportText(report, "md")).toContain("| TTFT | 42.0 | 42.0 |");
    const html = await reportText(report, "html");
    expect(html.includes("Decisions and workers over time")).toBe(true);
    const json = JSON.parse(await reportText(report, "json")) as {
      points: { metrics: Record<string, { mean: number } | null> }[];
    };
    for (const key of ["ttft_ms.p90", "e2e_ms.p50", "tpot_ms.p99"]) {
      expect(html.includes(`data-value="${json.points[0]!.metrics[key]!.mean}"`)).toBe(true);
    }
    expect((await reportText(report, "csv")).split("\n")[1]).toMatch(/^0,alone,1,0,0,true,true,false,1,/);
  });
});

describe("pdbench report", () => {
  beforeEach(() => {
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
  });
  afterEach(() => vi.restoreAllMocks());

  const run = (...args: string[]) =>
    reportCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .parseAsync(args, { from: "user" });

  it("writes each format beside --out", async () => {
    const sweep = await writeSweep("sweep", realisticSweep([0, 2048]));
    const out = join(directory, "deep", "down", "compare.html");
    await run(sweep, "--out", out, "--format", "html,md,csv,json");
    for (const ending of ["html", "md", "csv", "json"]) {
      expect((await readFile(out.replace(/html$/, ending), "utf8")).length, ending).toBeGreaterThan(100);
    }
  });

  it("holds runs against each other, and refuses an objective there", async () => {
    const runs = [await writeRun("before", 90), await writeRun("after", 50)];
    const out = join(directory, "compare.html");
    await run(...runs, "--out", out, "--format", "html,json");
    expect((await readFile(out, "utf8")).includes("after against before")).toBe(true);
    const json = JSON.parse(await readFile(join(directory, "compare.json"), "utf8")) as { schema: string };
    expect(json.schema).toBe("pdbench/comparison@1");
    await expect(run(...runs, "--objective", "goodput")).rejects.toThrow(
      /--objective: does not apply to runs/,
    );
  });

  it("writes into the directory it reports on, unless told otherwise", async () => {
    const path = await writeRun("run", 42);
    await run(path);
    expect((await readFile(join(path, "report.html"), "utf8")).includes(basename(path))).toBe(true);
  });

  it.each([
    [["--format", "htlm"], /unknown format, did you mean "html"\?/],
    [["--objective", "ttft_ms.p91"], /unknown metric "ttft_ms.p91", did you mean/],
    [["--baseline", "9"], /--baseline "9": expected a point's number \(0 to 2\)/],
  ])("refuses %s and writes nothing", async (args, message) => {
    const path = await writeSweep("sweep", realisticSweep([0]));
    await expect(run(path, ...args)).rejects.toThrow(message);
    await expect(readFile(join(path, "report.html"))).rejects.toThrow(/ENOENT/);
  });
});

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { REQUEST_COLUMNS, requestsCsv, summaryJson, timelineCsv } from "../../src/measure/run-files.js";
import { writeRunDirectory } from "../../src/measure/run-directory.js";
import { summarize } from "../../src/measure/summarize.js";
import { runOf, workerOf } from "./run-builder.js";

const rowsOf = (chunks: Iterable<string>): Record<string, string>[] =>
  parse([...chunks].join(""), { columns: true });

const disaggregated = {
  sentMs: 0.1 + 0.2,
  inputTokens: 4096,
  outputTokens: 3,
  session: 7,
  path: "disaggregated",
  prefillWorker: 0,
  decodeWorker: 1,
  branch: 1,
  queueMs: 1 / 3,
  prefillMs: 120,
  kvTransferMs: 2.5,
  firstTokenMs: 200.3,
  lastTokenMs: 240.3,
  cachedTokens: 512,
} as const;

const context = { scenario: "files", settings: {}, slo: { ttft_ms: null, tpot_ms: null, e2e_ms: null } };

describe("requests.csv", () => {
  it("has the columns of the contract and one row per request", () => {
    const [row] = rowsOf(requestsCsv(runOf([disaggregated])));
    expect(Object.keys(row!)).toEqual([...REQUEST_COLUMNS]);
    expect(row).toEqual({
      id: "0",
      arrival_s: "0.0003",
      input_tokens: "4096",
      output_tokens: "3",
      session: "7",
      path: "disaggregated",
      prefill_worker: "prefill-0",
      decode_worker: "decode-0",
      branch: "at_or_above_threshold",
      queue_ms: "0.333333",
      prefill_ms: "120",
      kv_transfer_ms: "2.5",
      ttft_ms: "200",
      tpot_ms: "20",
      e2e_ms: "240",
      itl_p99_ms: "",
      cached_tokens: "512",
      preemptions: "0",
      status: "completed",
    });
  });

  it("leaves what did not happen empty", () => {
    const [row] = rowsOf(requestsCsv(runOf([{ status: "failed", decodeWorker: -1 }])));
    expect(row).toMatchObject({
      session: "",
      path: "",
      prefill_worker: "",
      decode_worker: "",
      branch: "",
      queue_ms: "",
      ttft_ms: "",
      status: "failed",
    });
  });

  it("quotes names that need it", () => {
    const workers = [
      workerOf({ id: 'http://a,"b"', role: "prefill" }),
      workerOf({ id: "d", role: "decode" }),
    ];
    const [row] = rowsOf(requestsCsv(runOf([disaggregated], { workers })));
    expect(row!["prefill_worker"]).toBe('http://a,"b"');
  });

  it("comes in chunks and still has every row", () => {
    const requests = Array.from({ length: 5000 }, () => disaggregated);
    const chunks = [...requestsCsv(runOf(requests))];
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.length).toBeLessThan(10);
    expect(rowsOf(chunks)).toHaveLength(5000);
  });
});

describe("timeline.csv", () => {
  it("names the worker and gives KV use as a share", () => {
    const timeline = [{ atMs: 1500, worker: 1, running: 12, waiting: 3, kvUsage: 0.1 + 0.2 }];
    expect(rowsOf(timelineCsv(runOf([], { timeline })))).toEqual([
      { time_s: "1.5", worker: "decode-0", running: "12", waiting: "3", kv_usage: "0.3" },
    ]);
  });
});

describe("a run directory", () => {
  it("holds whole files only, and reads back as what was written", async () => {
    const directory = await mkdtemp(join(tmpdir(), "pdbench-run-"));
    try {
      const run = runOf([disaggregated]);
      const summary = summarize(run, context);
      const target = join(directory, "made", "on demand");
      await writeRunDirectory(target, {
        run,
        summary,
        scenarioYaml: "name: files\n",
        decisions: ["{}", "{}"],
      });
      expect((await readdir(target)).sort()).toEqual([
        "decisions.jsonl",
        "requests.csv",
        "scenario.yaml",
        "summary.json",
        "timeline.csv",
      ]);
      expect(JSON.parse(await readFile(join(target, "summary.json"), "utf8"))).toEqual(summary);
      expect(await readFile(join(target, "decisions.jsonl"), "utf8")).toBe("{}\n{}\n");
      expect(await readFile(join(target, "summary.json"), "utf8")).toBe(summaryJson(summary));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explanationText } from "../../src/report/explanation-text.js";
import { readExplainedRequest } from "../../src/report/explain-request.js";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pdbench-explain-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const COLUMNS =
  "id,input_tokens,output_tokens,prefill_worker,decode_worker,queue_ms,prefill_ms,kv_transfer_ms,ttft_ms,tpot_ms,e2e_ms,cached_tokens,preemptions,status";
const ROWS = [
  "0,2613,543,prefill-0,decode-1,22.7,9.86,4.85,69.4,10.1,5526,2224,0,completed",
  "1,10,2,,,,,,,,,0,0,failed",
];

const DECISION = {
  at_ms: 17_166.4,
  request: 0,
  path: "disaggregated",
  decider: "threshold",
  branch: "at_or_above_threshold",
  figures: { prompt_tokens: 2613, routing_threshold: 2048 },
  prefill: {
    worker: "prefill-0",
    policy: "cache_aware",
    branch: "cache_hit",
    figures: { match_rate: 0.851129 },
  },
  decode: { worker: "decode-1", policy: "least_loaded", branch: "lowest", figures: {} },
  candidates: {
    prefill: [{ worker: "prefill-0", open: 1, open_tokens: 2356, prefill_tokens: 2356, cached_tokens: 2224 }],
    decode: [
      { worker: "decode-0", open: 9, open_tokens: 900, prefill_tokens: 0, cached_tokens: 0 },
      {
        worker: "decode-1",
        open: 2,
        open_tokens: 200,
        prefill_tokens: 0,
        cached_tokens: 0,
        running: 2,
        waiting: 0,
        kv_usage: 0.25,
        stats_at_ms: 17_000,
      },
    ],
  },
};
const REJECTED = { ...DECISION, request: 1, path: "rejected", prefill: null, decode: null };

const writeRequests = () => writeFile(join(directory, "requests.csv"), `${[COLUMNS, ...ROWS].join("\n")}\n`);
const writeDecisions = (lines: readonly string[]) =>
  writeFile(join(directory, "decisions.jsonl"), lines.map((line) => `${line}\n`).join(""));

describe("the explanation of a request", () => {
  it("asks for what is missing, one thing at a time", async () => {
    const nowhere = join(directory, "nowhere");
    await expect(readExplainedRequest(nowhere, 0)).rejects.toThrow(`${nowhere}: no such folder`);
    await expect(readExplainedRequest(directory, 0)).rejects.toThrow("has no requests.csv");
    await writeRequests();
    await expect(readExplainedRequest(directory, 0)).rejects.toThrow(
      "has no decisions.jsonl; run again with --decisions",
    );
    await writeDecisions([JSON.stringify(DECISION), JSON.stringify(REJECTED)]);
    await expect(readExplainedRequest(directory, 2)).rejects.toThrow(
      "--request: got 2, expected the id of a request",
    );
  });

  it("names branch, figures, every candidate and the way of the request", async () => {
    const text = explanationText(await readExplainedRequest(directory, 0));
    expect(text).toContain("branch at_or_above_threshold (prompt_tokens 2,613, routing_threshold 2,048)");
    expect(text).toContain("Prefill: prefill-0 by cache_aware, branch cache_hit (match_rate 0.851).");
    expect(text).toMatch(/^ +decode-0 +9 +900 +0 +0 +- +- +- +-$/m);
    expect(text).toMatch(/^> +decode-1 +2 +200 +0 +0 +2 +0 +25\.0 % +166$/m);
    expect(text).toContain("KV transfer       4.85 ms to decode-1");
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it("names workers among the figures, and leaves held tokens out where nobody knows them", () => {
    const candidates = DECISION.candidates.prefill.map((candidate) => ({
      ...candidate,
      cached_tokens: null,
    }));
    const prefill = { ...DECISION.prefill, figures: { first: "prefill-0", first_load: 1 } };
    const text = explanationText({
      decision: {
        ...DECISION,
        path: "disaggregated",
        prefill,
        candidates: { prefill: candidates, decode: [] },
      },
      row: { input_tokens: "10" },
    });
    expect(text).toContain("(first prefill-0, first_load 1)");
    expect(text).not.toContain("held tokens");
  });

  it("says that a rejected request was taken by nobody", async () => {
    const text = explanationText(await readExplainedRequest(directory, 1));
    expect(text).toContain("turned away.");
    expect(text).toContain("No worker took it.");
  });

  it("names the line that is no JSON", async () => {
    await writeDecisions(['{"request":0,']);
    await expect(readExplainedRequest(directory, 0)).rejects.toThrow("decisions.jsonl:1: not a line of JSON");
  });
});

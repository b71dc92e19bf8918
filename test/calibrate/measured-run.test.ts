import { describe, expect, it } from "vitest";
import { firstRequests, readMeasuredRun } from "../../src/calibrate/measured-run.js";
import { rulesOf, defaultAsyncScheduling } from "../../src/calibrate/run-settings.js";
import { InputError } from "../../src/errors.js";
import { folderWith } from "./files.js";

const SIMULATED = {
  "requests.jsonl": [
    {
      input_toks: 20,
      output_toks: 1,
      arrival_time: 101.5,
      queued_ts: 12,
      scheduled_ts: 12.5,
      first_token_ts: 13,
      last_token_ts: 13,
    },
    {
      input_toks: 10,
      output_toks: 5,
      arrival_time: 100,
      queued_ts: 10,
      scheduled_ts: 10,
      first_token_ts: 11,
      last_token_ts: 15,
    },
  ]
    .map((row) => JSON.stringify(row))
    .join("\n"),
  "timeseries.csv":
    "t,prompt_throughput,gen_throughput,running,waiting,kv_cache_pct\n1.0,5,5,1,0,12.5\n2.0,5,5,2,1,50\n",
  "meta.json": JSON.stringify({
    vllm_version: "0.19.0",
    engine_kwargs: { max_num_seqs: 128, max_num_batched_tokens: 2048, max_model_len: null },
    kv_cache: { num_gpu_blocks: 2588, block_size: 16 },
    hardware: { device_name: "NVIDIA GeForce RTX 4090", device_total_memory_bytes: 25250627584 },
  }),
};

describe("a run of LLMServingSim's bench", () => {
  const run = readMeasuredRun(folderWith(SIMULATED));

  it("is in order of arrival, with times from the engine's queue", () => {
    expect([...run.requests.inputTokens]).toEqual([10, 20]);
    expect([...run.requests.arrivalMs]).toEqual([0, 1500]);
    expect([...run.requests.ttftMs]).toEqual([1000, 1000]);
    expect([...run.requests.e2eMs]).toEqual([5000, 1000]);
    expect([...run.requests.tpotMs]).toEqual([1000, NaN]);
    expect([...run.requests.scheduledMs]).toEqual([0, 2500]);
    expect(run.startsAt).toBe("queue");
  });

  it("has its timeline and its engine's settings", () => {
    expect(run.timeline).toEqual([
      { atMs: 1000, running: 1, waiting: 0, kvUsage: 0.125 },
      { atMs: 2000, running: 2, waiting: 1, kvUsage: 0.5 },
    ]);
    expect(run.settings).toMatchObject({
      numGpuBlocks: 2588,
      maxNumSeqs: 128,
      maxModelLen: null,
      vllmVersion: "0.19.0",
    });
  });

  it("takes a column of zeros for KV usage that was not recorded", () => {
    const timeseries = "t,running,waiting,kv_cache_pct\n1.0,1,0,0.0\n2.0,2,1,0.0\n";
    const { timeline } = readMeasuredRun(folderWith({ ...SIMULATED, "timeseries.csv": timeseries }));
    expect(timeline.map((sample) => sample.kvUsage)).toEqual([NaN, NaN]);
  });

  it.each([
    ["no JSON", { "requests.jsonl": "{" }, /requests\.jsonl:1: not JSON/],
    [
      "a missing time",
      { "requests.jsonl": '\n{"input_toks": 3, "output_toks": 2}' },
      /requests\.jsonl:2: field "arrival_time": got undefined/,
    ],
    ["no requests", { "requests.jsonl": "\n" }, /requests\.jsonl: no requests/],
    [
      "wrong metadata",
      { ...SIMULATED, "meta.json": '{"engine_kwargs": {"max_num_seqs": "many"}}' },
      /meta\.json: engine_kwargs\.max_num_seqs: /,
    ],
    ["broken metadata", { ...SIMULATED, "meta.json": "{" }, /meta\.json: not JSON/],
  ])("names file, line and field of %s", (_, files, message) => {
    const read = (): unknown => readMeasuredRun(folderWith(files));
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });
});

describe("a result of vllm bench serve", () => {
  const bench = {
    input_lens: [30, 10, 20],
    output_lens: [3, 1, 0],
    ttfts: [0.2, 0.1, 0],
    itls: [[0.01, 0.03], [], []],
    start_times: [5.5, 5, 6],
    errors: ["", "", "timed out"],
  };

  function read(content: object): ReturnType<typeof readMeasuredRun> {
    return readMeasuredRun(`${folderWith({ "result.json": JSON.stringify(content) })}/result.json`);
  }

  it("leaves failed requests out and counts times from the client's send", () => {
    const { requests, startsAt } = read(bench);
    expect(startsAt).toBe("client");
    expect([...requests.inputTokens]).toEqual([10, 30]);
    expect([...requests.arrivalMs]).toEqual([0, 500]);
    expect(requests.e2eMs[1]).toBeCloseTo(240, 9);
    expect(requests.tpotMs[1]).toBeCloseTo(20, 9);
    expect(requests.firstTokenMs[1]).toBeCloseTo(700, 9);
  });

  it("does without start times, which older releases do not save", () => {
    const { requests } = read({ ...bench, start_times: undefined });
    expect([...requests.inputTokens]).toEqual([30, 10]);
    expect(requests.arrivalMs.every(Number.isNaN)).toBe(true);
  });

  it.each([
    ["without details", { ...bench, itls: undefined }, /result\.json: itls: .*--save-detailed/],
    ["of unequal lengths", { ...bench, ttfts: [0.1] }, /ttfts: got 1 values, expected 3/],
    ["where nothing completed", { ...bench, errors: ["a", "b", "c"] }, /no completed requests/],
  ])("refuses a result %s", (_, content, message) => {
    expect(() => read(content)).toThrow(message);
  });
});

describe("a run directory of pdbench", () => {
  const header = "id,arrival_s,input_tokens,output_tokens,ttft_ms,tpot_ms,e2e_ms,status";
  const rows = ["0,10,100,3,50,20,90,completed", "1,10.5,100,3,,,,failed", "2,11,200,1,80,,80,completed"];

  it("leaves requests out that did not complete, and sums the workers of the timeline", () => {
    const run = readMeasuredRun(
      folderWith({
        "requests.csv": [header, ...rows].join("\n"),
        "timeline.csv": "time_s,worker,running,waiting,kv_usage\n1,a,2,0,0.5\n1,b,4,1,0.25\n",
      }),
    );
    expect([...run.requests.arrivalMs]).toEqual([0, 1000]);
    expect([...run.requests.ttftMs]).toEqual([50, 80]);
    expect([...run.requests.tpotMs]).toEqual([20, NaN]);
    expect(run.timeline).toEqual([{ atMs: 1000, running: 6, waiting: 1, kvUsage: 0.375 }]);
  });

  it("names a missing column", () => {
    const files = { "requests.csv": "id,arrival_s\n0,1\n" };
    expect(() => readMeasuredRun(folderWith(files))).toThrow(
      /requests\.csv:1: column input_tokens is missing/,
    );
  });
});

describe("readMeasuredRun", () => {
  it("says what it expected in an empty directory, and of a path that does not exist", () => {
    expect(() => readMeasuredRun(folderWith({}))).toThrow(/expected requests\.jsonl .* or requests\.csv/);
    expect(() => readMeasuredRun("nowhere")).toThrow(/^nowhere: no such file or directory/);
  });

  it("is cut to its first requests", () => {
    const { requests } = readMeasuredRun(folderWith(SIMULATED));
    expect([...firstRequests(requests, 1).inputTokens]).toEqual([10]);
    expect(firstRequests(requests, 9).count).toBe(2);
  });
});

describe("the rules of a vLLM release", () => {
  it.each([
    ["0.11.0", "0.11", false],
    ["v0.13.2", "0.11", false],
    ["0.14.0", "0.11", true],
    ["0.19.1", "0.19", true],
    [null, "0.19", true],
    ["nightly", "0.19", true],
  ] as const)("%s", (version, rules, isAsync) => {
    expect(rulesOf(version)).toBe(rules);
    expect(defaultAsyncScheduling(version)).toBe(isAsync);
  });
});

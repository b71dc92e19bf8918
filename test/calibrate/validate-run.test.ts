import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { calibrateGrid } from "../../src/calibrate/calibrate-grid.js";
import { calibrateRun } from "../../src/calibrate/calibrate-run.js";
import { comparisonText } from "../../src/calibrate/comparison-text.js";
import { readMeasuredRun } from "../../src/calibrate/measured-run.js";
import { readRunWorkload } from "../../src/calibrate/run-workload.js";
import { validateRun } from "../../src/calibrate/validate-run.js";
import type { Validation } from "../../src/calibrate/validate-run.js";
import type { EngineProfile } from "../../src/engine/profile.js";
import { InputError } from "../../src/errors.js";
import { distributionOf } from "../../src/measure/distribution.js";
import { describeWithSharedData, sharedData } from "../support/shared-data.js";
import { linearProfile } from "./builders.js";
import { folderWith } from "./files.js";

const RUNS = {
  RTX4090: "vllm-runs/rtx4090-llama-3.1-8b",
  RTXPRO6000: "vllm-runs/rtxpro6000-llama-3.1-8b",
} as const;
const WORKLOAD = "vllm-runs/workload-sharegpt-llama-3.1-8b-300.jsonl";
const GRID = "step-times/vllm-0.19-kernels-step-grid.csv";

type Hardware = keyof typeof RUNS;

function fromGrid(hardware: Hardware): EngineProfile {
  const file = sharedData(GRID);
  return calibrateGrid({ file, hardware, model: "Llama-3.1-8B", tp: 1, modelShape: null, allReduce: null })
    .profile;
}

async function fromFirstHalf(hardware: Hardware): Promise<EngineProfile> {
  const run = readMeasuredRun(sharedData(RUNS[hardware]));
  const workload = await readRunWorkload(sharedData(WORKLOAD), run);
  const identity = { hardware, model: null, modelShape: null, tp: null, kvBlocks: null };
  return calibrateRun(run, workload, identity, 150).profile;
}

async function validate(hardware: Hardware, profile: EngineProfile): Promise<Validation["comparison"]> {
  const { comparison } = await validateRun({
    run: sharedData(RUNS[hardware]),
    workload: sharedData(WORKLOAD),
    profile,
    kvBlocks: null,
    settings: {},
  });
  return comparison;
}

function errorsOf(comparison: Validation["comparison"], figure: "mean" | "p99"): number[] {
  const { ttft_ms, tpot_ms, e2e_ms } = comparison;
  return [ttft_ms, tpot_ms, e2e_ms].map((latency) => Math.abs(latency[figure].error_pct!));
}

describeWithSharedData("the measured side of a validation", ["vllm-runs"], () => {
  it.each(Object.values(RUNS))("%s repeats the published summary to its last digit", (path) => {
    const { requests } = readMeasuredRun(sharedData(path));
    const summary = readFileSync(sharedData(`${path}/llmservingsim-summary.txt`), "utf8");
    const rows = summary.split("\n").flatMap((line) => {
      const match = /^(TTFT|TPOT|Latency) (Mean|Median|P90|P95|P99)\s+([\d.]+)/.exec(line);
      return match === null ? [] : [match.slice(1) as [string, string, string]];
    });
    expect(rows).toHaveLength(15);
    const columns = { TTFT: requests.ttftMs, TPOT: requests.tpotMs, Latency: requests.e2eMs };
    const figures = { Mean: "mean", Median: "p50", P90: "p90", P95: "p95", P99: "p99" } as const;
    for (const [latency, figure, published] of rows) {
      const distribution = distributionOf(columns[latency as keyof typeof columns]);
      expect(distribution[figures[figure as keyof typeof figures]]!.toFixed(1)).toBe(published);
    }
  });
});

describeWithSharedData("a profile from the step grid alone", ["vllm-runs", "step-times"], () => {
  it("predicts the run on an RTX 4090 within 1 %, its 99th percentiles within 2 %", async () => {
    const comparison = await validate("RTX4090", fromGrid("RTX4090"));
    expect(Math.max(...errorsOf(comparison, "mean"))).toBeLessThan(1);
    expect(Math.max(...errorsOf(comparison, "p99"))).toBeLessThan(2);
    expect(comparison.preemptions.predicted).toBe(194);
    expect(Math.abs(comparison.running.error_pct!)).toBeLessThan(3);
    expect(comparison.kv_blocks).toBe(2588);
    expect(comparison.wall_s).toBeLessThan(10);
  });

  it("predicts the run on an RTX PRO 6000 as well as the published simulator", async () => {
    const comparison = await validate("RTXPRO6000", fromGrid("RTXPRO6000"));
    const [ttft, tpot, e2e] = errorsOf(comparison, "mean");
    expect(ttft).toBeLessThan(4);
    expect(tpot).toBeLessThan(1);
    expect(e2e).toBeLessThan(1.8);
    expect(comparison.notes[0]).toMatch(/derived from the card's memory/);
  });
});

describeWithSharedData("a profile from the first 150 requests of a run", ["vllm-runs"], () => {
  it.each([
    ["RTX4090", 1, 2],
    ["RTXPRO6000", 2, 2],
  ] as const)("predicts all 300 on %s", async (hardware, mean, p99) => {
    const comparison = await validate(hardware, await fromFirstHalf(hardware));
    expect(Math.max(...errorsOf(comparison, "mean"))).toBeLessThan(mean);
    expect(Math.max(...errorsOf(comparison, "p99"))).toBeLessThan(p99);
  });
});

describe("validateRun", () => {
  const row = {
    output_toks: 2,
    arrival_time: 0,
    queued_ts: 0,
    scheduled_ts: 0,
    first_token_ts: 0.1,
    last_token_ts: 0.12,
  };
  const run = folderWith({ "requests.jsonl": JSON.stringify({ ...row, input_toks: 100 }) });

  function trace(tokens: readonly number[]): string {
    const lines = tokens.map((input_tokens) =>
      JSON.stringify({ arrival_s: 0, input_tokens, output_tokens: 2, block_ids: [], block_tokens: 16 }),
    );
    return `${folderWith({ "trace.jsonl": lines.join("\n") })}/trace.jsonl`;
  }

  function request(workload: string): Parameters<typeof validateRun>[0] {
    return { run, workload, profile: linearProfile(), kvBlocks: 500, settings: {} };
  }

  it("compares a run with its simulation and says what it assumed", async () => {
    const { comparison } = await validateRun(request(trace([100, 70])));
    expect(comparison.requests).toBe(1);
    expect(comparison.ttft_ms.mean.measured).toBeCloseTo(100, 9);
    expect(comparison.ttft_ms.mean.predicted).toBeCloseTo(18 + 100 * 0.09 + 5000 * 4e-6, 3);
    expect(comparison.waiting).toEqual({ measured: null, predicted: null, error_pct: null });
    expect(comparison.notes).toContain("maxNumSeqs was not recorded: vLLM's default 256 is assumed.");
    expect(comparisonText(comparison)).toMatch(/^1 requests with profile test/);
    expect(
      Math.max(
        ...comparisonText(comparison)
          .split("\n")
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(100);
  });

  it("refuses the workload of another run", async () => {
    const other = validateRun(request(trace([99])));
    await expect(other).rejects.toThrow(InputError);
    await expect(other).rejects.toThrow(/request 1 has 99 prompt tokens, .* it has 100/);
  });

  it("refuses a workload that is too short", async () => {
    const rows = [row, { ...row, arrival_time: 1 }].map((line) =>
      JSON.stringify({ ...line, input_toks: 100 }),
    );
    const long = folderWith({ "requests.jsonl": rows.join("\n") });
    await expect(validateRun({ ...request(trace([100])), run: long })).rejects.toThrow(
      /has 1 requests, expected at least the 2/,
    );
  });
});

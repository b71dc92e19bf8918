import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, describe, expect, it, vi } from "vitest";
import { loadProfile } from "../../src/calibrate/profile-file.js";
import { calibrateCommand } from "../../src/cli/calibrate.js";
import { validateCommand } from "../../src/cli/validate.js";
import { InputError } from "../../src/errors.js";
import { gridOf, linearProfile } from "../calibrate/builders.js";
import { folderWith } from "../calibrate/files.js";

const HEADER = "hardware,model,tp,prefill_chunk,kv_prefill,n_decode,kv_decode,step_ms";

function gridCsv(): string {
  const samples = gridOf(linearProfile(), [256, 512], [0, 1024], [1, 8], [512, 1024]);
  const rows = samples.map(
    ({ chunkTokens, cachedTokens, decodes, contextTokens, ms }) =>
      `RTXPRO6000,Qwen/Qwen3-32B,2,${chunkTokens},${cachedTokens},${decodes},${contextTokens},${ms}`,
  );
  return [HEADER, ...rows].join("\n");
}

const RUN = {
  "run/requests.jsonl": [0, 1, 2]
    .map((i) =>
      JSON.stringify({
        input_toks: 100,
        output_toks: 20,
        arrival_time: i,
        queued_ts: i,
        scheduled_ts: i,
        first_token_ts: i + 0.03,
        last_token_ts: i + 0.4,
      }),
    )
    .join("\n"),
  "run/meta.json": JSON.stringify({ model: "meta-llama/Llama-3.1-8B", vllm_version: "0.19.0" }),
  "trace.jsonl": [0, 1, 2]
    .map((i) =>
      JSON.stringify({ arrival_s: i, input_tokens: 100, output_tokens: 20, block_ids: [], block_tokens: 16 }),
    )
    .join("\n"),
};

interface Output {
  stdout: string;
  stderr: string;
}

async function pdbench(...args: readonly string[]): Promise<Output> {
  const output: Output = { stdout: "", stderr: "" };
  vi.spyOn(process.stdout, "write").mockImplementation((text) => (output.stdout += String(text)).length > 0);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => (output.stderr += String(text)).length > 0);
  const program = new Command("pdbench").addCommand(calibrateCommand()).addCommand(validateCommand());
  for (const command of program.commands)
    command.exitOverride().configureOutput({ writeErr: () => undefined });
  await program.parseAsync(args, { from: "user" });
  return output;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("pdbench calibrate", () => {
  it("writes a profile and its report beside it, and warns of what the grid lacks", async () => {
    const folder = folderWith({ "grid.csv": gridCsv() });
    const out = join(folder, "profile.yaml");
    const card = ["--hardware", "RTXPRO6000", "--model", "Qwen3-32B", "--tp", "2"];
    const { stdout, stderr } = await pdbench(
      "calibrate",
      "--grid",
      join(folder, "grid.csv"),
      ...card,
      "--out",
      out,
    );
    expect(stdout).toBe("");
    expect(stderr).toContain("warning: the all-reduce between cards is not charged");
    expect(loadProfile(out)).toMatchObject({ tp: 2, model: { layers: 64 }, all_reduce: null });
    expect(readFileSync(join(folder, "profile.html"), "utf8")).toContain("<!doctype html>");
  });

  it.each([
    ["128", 16, ""],
    ["3600", 450, ""],
    ["16", 16, "taken as 16 GB/s"],
  ])("takes an all-reduce bandwidth of %s Gbit/s as %i GB/s", async (gbps, gigabytesPerSecond, warning) => {
    const folder = folderWith({ "grid.csv": gridCsv() });
    const out = join(folder, "profile.yaml");
    const card = [
      "--hardware",
      "RTXPRO6000",
      "--model",
      "Qwen3-32B",
      "--tp",
      "2",
      "--model-shape",
      "Qwen3-8B",
    ];
    const link = ["--allreduce-gbps", gbps, "--allreduce-us", "20"];
    const { stderr } = await pdbench(
      "calibrate",
      "--grid",
      join(folder, "grid.csv"),
      ...card,
      ...link,
      "--out",
      out,
    );
    const profile = loadProfile(out);
    expect(profile.all_reduce).toEqual({
      per_layer: 2,
      latency_us: 20,
      gigabytes_per_second: gigabytesPerSecond,
    });
    expect(profile.model.name).toBe("Qwen3-8B");
    expect(stderr).toContain(warning);
  });

  it("fits a run, which validate then takes", async () => {
    const folder = folderWith(RUN);
    const out = join(folder, "profile.yaml");
    const run = ["--run", join(folder, "run"), "--workload", join(folder, "trace.jsonl")];
    await pdbench("calibrate", ...run, "--hardware", "H100", "--out", out);
    const { stdout } = await pdbench("validate", ...run, "--profile", out, "--json");
    const comparison = JSON.parse(stdout) as Record<string, Record<string, { error_pct: number }>>;
    expect(Math.abs(comparison["tpot_ms"]!["mean"]!.error_pct)).toBeLessThan(2);
    expect(Object.keys(comparison)).toEqual(
      expect.arrayContaining(["ttft_ms", "tpot_ms", "e2e_ms", "preemptions", "wall_s"]),
    );
  });

  it.each([
    [["--out", "x.yaml"], /got none of them, expected one of --grid, --run and --url/],
    [["--grid", "g", "--url", "u", "--out", "x.yaml"], /got --grid and --url, expected one of/],
    [["--grid", "g", "--first", "5", "--out", "x.yaml"], /--first: does not apply to --grid, only to --run/],
    [
      ["--run", "r", "--allreduce-us", "5", "--out", "x.yaml"],
      /--allreduce-us: does not apply to --run, only to --grid/,
    ],
    [["--grid", "g", "--out", "x.yaml"], /--hardware is missing/],
    [
      ["--grid", "g", "--hardware", "H", "--model", "M", "--tp", "0", "--out", "x"],
      /--tp: got 0, expected a whole number/,
    ],
    [
      ["--grid", "g", "--allreduce-gbps", "-1", "--out", "x"],
      /--allreduce-gbps: got -1, expected a number above 0/,
    ],
    [["--url", "ftp://x", "--out", "x.yaml"], /--url: got ftp:\/\/x, expected http/],
  ])("refuses %j", async (args, message) => {
    await expect(pdbench("calibrate", ...args)).rejects.toThrow(InputError);
    await expect(pdbench("calibrate", ...args)).rejects.toThrow(message);
    expect(existsSync("x.yaml")).toBe(false);
  });
});

describe("pdbench validate", () => {
  it("prints a table and writes the page it is asked for", async () => {
    const folder = folderWith(RUN);
    const out = join(folder, "validation.html");
    const run = ["--run", join(folder, "run"), "--workload", join(folder, "trace.jsonl")];
    const profile = ["--profile", "llama-3.1-8b-h100-tp1-bf16", "--kv-blocks", "3000"];
    const { stdout } = await pdbench("validate", ...run, ...profile, "--out", out);
    expect(stdout).toMatch(/TTFT, ms: mean +30\.0 /);
    expect(stdout).toContain("3000 KV blocks, as given.");
    expect(readFileSync(out, "utf8")).toContain("Time to first token");
  });

  it("names the nearest profile for an unknown one", async () => {
    const args = ["--run", "r", "--workload", "w", "--profile", "llama-3.1-8b-h100-tp1-bf17"];
    await expect(pdbench("validate", ...args)).rejects.toThrow(/did you mean "llama-3.1-8b-h100-tp1-bf16"/);
  });
});

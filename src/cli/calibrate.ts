import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { calibrateGrid } from "../calibrate/calibrate-grid.js";
import type { Calibration } from "../calibrate/calibrate-grid.js";
import { calibrateRun } from "../calibrate/calibrate-run.js";
import { calibrationPage } from "../calibrate/calibration-page.js";
import { readMeasuredRun } from "../calibrate/measured-run.js";
import { runProbe } from "../calibrate/probe/run-probe.js";
import { profileYaml } from "../calibrate/profile-file.js";
import { readRunWorkload } from "../calibrate/run-workload.js";
import { InputError } from "../errors.js";
import { numberFlag, wholeNumberFlag } from "./number-flags.js";

const EXAMPLES = `
Give one of --grid, --run and --url. A report with the residuals is written beside the profile
(profile.yaml -> profile.html); warnings go to stderr.

Examples:
  $ pdbench calibrate --grid grid.csv --hardware RTX4090 --model Llama-3.1-8B --tp 1 --out profile.yaml
  $ pdbench calibrate --grid grid.csv --hardware RTXPRO6000 --model Qwen3-32B --tp 2 \\
      --allreduce-gbps 128 --allreduce-us 20 --out profile.yaml
  $ pdbench calibrate --run vllm-run --workload trace.jsonl --first 150 --out profile.yaml
  $ pdbench calibrate --url http://127.0.0.1:8000 --hardware H100 --out profile.yaml
`;

interface CalibrateOptions {
  grid?: string;
  run?: string;
  url?: string;
  workload?: string;
  first?: number;
  hardware?: string;
  model?: string;
  tp?: number;
  modelShape?: string;
  allreduceGbps?: number;
  allreduceUs?: number;
  kvBlocks?: number;
  maxRequests: number;
  maxSeconds: number;
  maxModelLen: number;
  out: string;
}

/** `pdbench calibrate`: measurements to an engine profile. */
export function calibrateCommand(): Command {
  return new Command("calibrate")
    .description("Measured step times, a measured run or a live server -> engine profile (YAML).")
    .option(
      "--grid <file>",
      "step times: hardware,model,tp,prefill_chunk,kv_prefill,n_decode,kv_decode,step_ms",
    )
    .option("--run <dir>", "a measured run: a directory, or a JSON file of vllm bench serve")
    .option("--url <url>", "a live OpenAI-compatible server, to be probed for a short while")
    .option("--workload <file>", "with --run: the trace that was sent")
    .option("--first <n>", "with --run: fit to the first N requests only", wholeNumberFlag("--first", 2))
    .option("--hardware <name>", "card, e.g. H100, RTX4090")
    .option("--model <name>", "model, e.g. Llama-3.1-8B")
    .option("--tp <n>", "tensor-parallel degree; also as the grid writes it, tp2", tensorParallelFlag)
    .option("--model-shape <name>", "known model of the same shape, or a config.json (default: --model)")
    .option(
      "--allreduce-gbps <n>",
      "bandwidth of the all-reduce between cards, Gbit/s, where the grid was measured on one card",
      numberFlag("--allreduce-gbps", "positive"),
    )
    .option("--allreduce-us <n>", "its latency, microseconds", numberFlag("--allreduce-us", "not negative"))
    .option(
      "--kv-blocks <n>",
      "with --run, --url: KV blocks of the engine",
      wholeNumberFlag("--kv-blocks", 2),
    )
    .option("--max-requests <n>", "with --url: requests at most", wholeNumberFlag("--max-requests", 10), 220)
    .option(
      "--max-seconds <n>",
      "with --url: begin nothing after",
      numberFlag("--max-seconds", "positive"),
      120,
    )
    .option(
      "--max-model-len <n>",
      "with --url: longest request",
      wholeNumberFlag("--max-model-len", 128),
      8192,
    )
    .requiredOption("--out <file>", "the profile to write")
    .addHelpText("after", EXAMPLES)
    .action(calibrate);
}

async function calibrate(options: CalibrateOptions, command: Command): Promise<void> {
  refuseStrayFlags(command);
  const calibration = await calibrationOf(options);
  for (const warning of calibration.warnings) process.stderr.write(`warning: ${warning}\n`);
  const page = `${options.out.replace(/\.(ya?ml|json)$/, "")}.html`;
  writeFileSync(page, await calibrationPage(calibration));
  writeFileSync(options.out, profileYaml(calibration.profile));
  process.stderr.write(`wrote ${options.out} and ${page}\n`);
}

async function calibrationOf(options: CalibrateOptions): Promise<Calibration> {
  const identity = {
    hardware: options.hardware ?? null,
    model: options.model ?? null,
    modelShape: options.modelShape ?? null,
    tp: options.tp ?? null,
    kvBlocks: options.kvBlocks ?? null,
  };
  if (options.grid !== undefined) {
    return calibrateGrid({
      file: options.grid,
      hardware: options.hardware ?? required("--hardware"),
      model: options.model ?? required("--model"),
      tp: options.tp ?? required("--tp"),
      modelShape: identity.modelShape,
      allReduce: allReduceOf(options),
    });
  }
  if (options.run !== undefined) {
    const run = readMeasuredRun(options.run);
    const workload = await readRunWorkload(options.workload ?? required("--workload"), run);
    return calibrateRun(run, workload, identity, options.first ?? null);
  }
  const probe = await runProbe(options.url!, options, (stage, done, of) =>
    process.stderr.write(
      `stage ${done + 1} of ${of}: ${stage.concurrency} x ${stage.promptTokens} prompt tokens\n`,
    ),
  );
  const calibration = calibrateRun(probe.run, probe.workload, identity, null);
  return { ...calibration, warnings: [...probe.warnings, ...calibration.warnings] };
}

/** Below this no link between the cards of one engine is known (PCIe 3.0 x4 has 32). */
const SLOWEST_LINK_GBPS = 32;

/**
 * Bandwidths of links are stated in Gbit/s, but those of all-reduces, as by nccl-tests, in GB/s: a number too small
 * for the one is taken for the other, and said so.
 */
function allReduceOf({ allreduceGbps, allreduceUs }: CalibrateOptions): {
  gigabytesPerSecond: number;
  latencyUs: number;
} | null {
  if (allreduceGbps === undefined && allreduceUs === undefined) return null;
  if (allreduceGbps === undefined) required("--allreduce-gbps");
  if (allreduceUs === undefined) required("--allreduce-us");
  if (allreduceGbps >= SLOWEST_LINK_GBPS) {
    return { gigabytesPerSecond: allreduceGbps / 8, latencyUs: allreduceUs };
  }
  process.stderr.write(
    `warning: --allreduce-gbps ${allreduceGbps}: slower than any link between cards, ` +
      `taken as ${allreduceGbps} GB/s (${allreduceGbps * 8} Gbit/s)\n`,
  );
  return { gigabytesPerSecond: allreduceGbps, latencyUs: allreduceUs };
}

const SOURCES = ["grid", "run", "url"] as const;

/** Flags that mean something with some sources only. */
const APPLIES_TO: Readonly<Record<string, readonly string[]>> = {
  workload: ["run"],
  first: ["run"],
  allreduceGbps: ["grid"],
  allreduceUs: ["grid"],
  kvBlocks: ["run", "url"],
  maxRequests: ["url"],
  maxSeconds: ["url"],
  maxModelLen: ["url"],
};

function refuseStrayFlags(command: Command): void {
  const given = command.options.filter(
    (option) => command.getOptionValueSource(option.attributeName()) === "cli",
  );
  const names = given.map((option) => option.attributeName());
  const sources = SOURCES.filter((source) => names.includes(source));
  if (sources.length !== 1) {
    const got = sources.length === 0 ? "none of them" : sources.map((source) => `--${source}`).join(" and ");
    throw new InputError(`calibrate: got ${got}, expected one of --grid, --run and --url`);
  }
  for (const option of given) {
    const wanted = APPLIES_TO[option.attributeName()];
    if (wanted === undefined || wanted.includes(sources[0]!)) continue;
    throw new InputError(
      `${option.long!}: does not apply to --${sources[0]!}, only to ${wanted.map((source) => `--${source}`).join(" and ")}`,
    );
  }
}

function required(flag: string): never {
  throw new InputError(`calibrate: ${flag} is missing`);
}

function tensorParallelFlag(value: string): number {
  return wholeNumberFlag("--tp", 1)(value.replace(/^tp(?=\d)/i, ""));
}

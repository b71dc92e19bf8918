import { writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Command } from "commander";
import { comparisonText } from "../calibrate/comparison-text.js";
import { loadProfile } from "../calibrate/profile-file.js";
import { validateRun } from "../calibrate/validate-run.js";
import { validationPage } from "../calibrate/validation-page.js";
import { wholeNumberFlag } from "./number-flags.js";

const EXAMPLES = `
The run is a directory with requests.jsonl and meta.json (LLMServingSim's bench), a run directory of
pdbench, or the JSON file of \`vllm bench serve --save-result --save-detailed\`. The workload is the
trace that was sent, in any format that \`pdbench list trace-formats\` shows.

Examples:
  $ pdbench validate --run vllm-run --workload trace.jsonl --profile profile.yaml
  $ pdbench validate --run result.json --workload trace.jsonl --profile llama-3.1-8b-h100-tp1-bf16 \\
      --kv-blocks 28000 --json
  $ pdbench validate --run vllm-run --workload trace.jsonl --profile profile.yaml --out validation.html
`;

interface ValidateOptions {
  run: string;
  workload: string;
  profile: string;
  kvBlocks?: number;
  maxNumSeqs?: number;
  maxNumBatchedTokens?: number;
  json?: true;
  out?: string;
}

/** `pdbench validate`: a measured run beside what the engine model predicts of it. */
export function validateCommand(): Command {
  return new Command("validate")
    .description("Simulate a measured run's own workload; predicted against measured.")
    .requiredOption("--run <dir>", "the measured run: a directory, or a JSON file of vllm bench serve")
    .requiredOption("--workload <file>", "the trace that was sent")
    .requiredOption("--profile <file>", "engine profile: a YAML file, or the name of a built-in one")
    .option(
      "--kv-blocks <n>",
      "KV blocks of the engine (default: recorded, inferred or derived)",
      wholeNumberFlag("--kv-blocks", 2),
    )
    .option("--max-num-seqs <n>", "where the run did not record it", wholeNumberFlag("--max-num-seqs", 1))
    .option(
      "--max-num-batched-tokens <n>",
      "where the run did not record it",
      wholeNumberFlag("--max-num-batched-tokens", 1),
    )
    .option("--json", "print the comparison as JSON")
    .option("--out <file>", "write an HTML page with the distributions and timelines over each other")
    .addHelpText("after", EXAMPLES)
    .action(validate);
}

async function validate(options: ValidateOptions): Promise<void> {
  const { comparison, run, simulated } = await validateRun({
    run: options.run,
    workload: options.workload,
    profile: loadProfile(options.profile),
    kvBlocks: options.kvBlocks ?? null,
    settings: {
      ...(options.maxNumSeqs !== undefined && { maxNumSeqs: options.maxNumSeqs }),
      ...(options.maxNumBatchedTokens !== undefined && { maxNumBatchedTokens: options.maxNumBatchedTokens }),
    },
  });
  if (options.out !== undefined) {
    const title = `${basename(resolve(options.run))}: predicted against measured`;
    writeFileSync(options.out, await validationPage(title, comparison, run, simulated));
    process.stderr.write(`wrote ${options.out}\n`);
  }
  process.stdout.write(
    options.json === true ? `${JSON.stringify(comparison, null, 2)}\n` : comparisonText(comparison),
  );
}

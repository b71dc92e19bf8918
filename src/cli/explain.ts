import { Command } from "commander";
import { readExplainedRequest } from "../report/explain-request.js";
import { explanationText } from "../report/explanation-text.js";
import { wholeNumberFlag } from "./number-flags.js";

const EXAMPLES = `
RUN_DIR is a directory that \`pdbench simulate --out RUN_DIR --decisions\` wrote.

Examples:
  $ pdbench simulate quickstart --out out/run --decisions
  $ pdbench explain out/run --request 17
`;

/** `pdbench explain RUN_DIR --request ID`: why a request went where it went, and what became of it. */
export function explainCommand(): Command {
  return new Command("explain")
    .description("Tells why a request of a run went where it went: candidates, figures, branch, and its way.")
    .argument("<run-dir>", "run directory with decisions.jsonl")
    .requiredOption(
      "--request <ID>",
      "number of the request, as in requests.csv",
      wholeNumberFlag("--request", 0),
    )
    .option("--json", "print the decision and the row of requests.csv as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (directory: string, { request, json }: { request: number; json?: true }) => {
      const explained = await readExplainedRequest(directory, request);
      process.stdout.write(
        json === true ? `${JSON.stringify(explained, null, 2)}\n` : explanationText(explained),
      );
    });
}

import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { compareScenario } from "./golden/compare.js";
import { readScenario, skipReason } from "./golden/scenario.js";

/**
 * `npx tsx scripts/golden.ts DIR`: every golden schedule under DIR (see its README) against the engine. Prints
 * one line for each difference or skipped file; the last line counts. Exit status 1 unless all match.
 */
const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write("usage: golden DIR (a folder with golden schedules, *.json)\n");
  process.exit(2);
}
const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".json"))
  .sort();
let compared = 0;
let matching = 0;
for (const file of files) {
  const scenario = readScenario(`${directory}/${file}`);
  const skipped = skipReason(scenario);
  if (skipped !== null) {
    process.stdout.write(`${basename(file)}: skipped, ${skipped}\n`);
    continue;
  }
  const differences = compareScenario(scenario);
  for (const line of differences) process.stdout.write(`${file}: ${line}\n`);
  compared++;
  if (differences.length === 0) matching++;
}
process.stdout.write(`${matching} of ${compared} scenarios match\n`);
process.exitCode = compared > 0 && matching === compared ? 0 : 1;

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { localExecutor } from "../src/sweep/local-executor.js";
import { STORIES } from "./reports/stories.js";
import { missingOf } from "./reports/story.js";

/**
 * `npx tsx scripts/reports.ts [--check] [NAME...]`: writes the reference reports (`reports/*.md`), all or those
 * named. With --check nothing is written and the exit status is 1 where a report would come out differently.
 * Reports whose trace is not in ../shared/data are passed over.
 */
const args = process.argv.slice(2);
const check = args.includes("--check");
const names = args.filter((arg) => arg !== "--check");
const unknown = names.find((name) => STORIES.every((story) => story.name !== name));
if (unknown !== undefined) {
  const known = STORIES.map(({ name }) => name).join(", ");
  process.stderr.write(`${unknown}: no such report, expected --check or one of ${known}\n`);
  process.exit(2);
}
const execute = localExecutor(Math.min(4, availableParallelism()));
for (const story of STORIES.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const missing = missingOf(story);
  if (missing.length > 0) {
    process.stdout.write(`${story.name}: passed over, ${missing.join(", ")} is not in ../shared/data\n`);
    continue;
  }
  const file = fileURLToPath(new URL(`../reports/${story.name}.md`, import.meta.url));
  const text = await story.render(execute);
  const isSame = textOf(file) === text;
  if (!isSame && check) process.exitCode = 1;
  if (!isSame && !check) await writeFile(file, text);
  process.stdout.write(`${story.name}: ${isSame ? "unchanged" : check ? "DIFFERS" : "written"}\n`);
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

import { createWriteStream } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { RunResult, RunTotals } from "./records.js";
import { requestsCsv, summaryJson, timelineCsv } from "./run-files.js";
import type { Summary } from "./summary.js";

/** What goes into a run directory. */
export interface RunDirectoryContent {
  /** A run that kept no requests has written `requests.csv` itself. */
  readonly run: RunResult | RunTotals;
  readonly summary: Summary;
  /** The resolved scenario as YAML: enough to repeat the run. */
  readonly scenarioYaml: string;
  /** Lines of `decisions.jsonl`, without line ends; left out = no such file. */
  readonly decisions?: Iterable<string>;
}

/**
 * Writes a run directory, made where it does not exist. Each file appears whole or not at all;
 * `summary.json` comes last, so a directory that has one is complete.
 */
export async function writeRunDirectory(directory: string, content: RunDirectoryContent): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeText(join(directory, "scenario.yaml"), [content.scenarioYaml]);
  if ("records" in content.run) await writeText(join(directory, "requests.csv"), requestsCsv(content.run));
  await writeText(join(directory, "timeline.csv"), timelineCsv(content.run));
  if (content.decisions !== undefined) {
    await writeText(join(directory, "decisions.jsonl"), withLineEnds(content.decisions));
  }
  await writeText(join(directory, "summary.json"), [summaryJson(content.summary)]);
}

function* withLineEnds(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}

/** Writes beside the file and renames, so that nothing half-written is ever found under the name. */
async function writeText(path: string, chunks: Iterable<string>): Promise<void> {
  const partial = `${path}.partial`;
  await pipeline(chunks, createWriteStream(partial));
  await rename(partial, path);
}

import { join } from "node:path";
import { WorkError } from "../errors.js";
import { renderSweepTable } from "../report/render-sweep-table.js";
import { terminalOptionsOf } from "../report/terminal-style.js";
import { reportOnSweep } from "../report/write-report.js";
import { sweepJson, writeSweep } from "../report/write-sweep.js";
import type { SweepPoint, SweepResult } from "../sweep/sweep-result.js";

/**
 * Writes and prints what a sweep found.
 *
 * @param out folder of the results, which exists; null = nothing is written
 * @throws WorkError at the end when runs have failed
 */
export async function deliverSweep(sweep: SweepResult, out: string | null, json: boolean): Promise<void> {
  const report = reportOnSweep(sweep);
  if (out !== null) await writeSweep(out, sweep, report);
  process.stdout.write(
    json
      ? sweepJson(sweep)
      : renderSweepTable(sweep, report.recommendation, terminalOptionsOf(process.stdout, process.env)),
  );
  if (out !== null) process.stderr.write(`Report: ${join(out, "report.html")}\n`);
  failOnFailedRuns(sweep.points);
}

/** @throws WorkError when runs have failed; those that were stopped on request have not */
export function failOnFailedRuns(points: readonly SweepPoint[]): void {
  const runs = points.flatMap((point) => point.runs);
  const failed = runs.filter(({ error, stopped }) => error !== null && stopped !== true);
  if (failed.length === 0) return;
  throw new WorkError(`${failed.length} of ${runs.length} runs failed, the first: ${failed[0]!.error!}`);
}

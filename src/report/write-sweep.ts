import { join } from "node:path";
import { pointsCsv } from "../sweep/points-csv.js";
import type { SweepResult } from "../sweep/sweep-result.js";
import { reportText, writeWhole, type Report } from "./write-report.js";

/** Writes the files of a sweep directory, `sweep.json` last: a directory that has one is complete. */
export async function writeSweep(out: string, sweep: SweepResult, report: Report): Promise<void> {
  await writeWhole(join(out, "points.csv"), pointsCsv(sweep));
  await writeWhole(join(out, "report.md"), await reportText(report, "md"));
  await writeWhole(join(out, "report.html"), await reportText(report, "html"));
  await writeWhole(join(out, "sweep.json"), sweepJson(sweep));
}

/** Text of `sweep.json`. */
export function sweepJson(sweep: SweepResult): string {
  return `${JSON.stringify(sweep, null, 1)}\n`;
}

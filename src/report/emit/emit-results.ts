import { InputError } from "../../errors.js";
import type { Summary } from "../../measure/summary.js";
import { pointName } from "../setting-words.js";
import type { RecommendingReport } from "../write-report.js";
import { emissionText } from "./emission-text.js";
import { emitTargetNamed } from "./targets.js";
import { wantedOf } from "./wanted.js";

/**
 * The settings that a report recommends, or those of its only run, written for a product.
 * @throws InputError for an unknown product, or where nothing is recommended
 */
export function emitReport(report: RecommendingReport, product: string): string {
  const target = emitTargetNamed(product);
  const { summary, name, what } = settingsOf(report);
  return emissionText(target.emit(wantedOf(summary, name)), what);
}

function settingsOf(report: RecommendingReport): {
  readonly summary: Summary;
  readonly name: string;
  readonly what: string;
} {
  if (report.kind === "run") {
    const { name, summary } = report.run;
    return { name, summary, what: `the settings of run ${name}` };
  }
  const { recommendation, sweep } = report;
  const summary = recommendation?.point.runs.find((run) => run.summary !== null)?.summary;
  if (summary == null) {
    throw new InputError(`--emit: ${sweep.name}: no point has a result, so nothing is recommended`);
  }
  const point = pointName(recommendation!.point.settings);
  return { summary, name: sweep.name, what: `recommended by sweep ${sweep.name}, ${point}` };
}

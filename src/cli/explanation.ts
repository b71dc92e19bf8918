import { explainSettings } from "../scenario/explain.js";
import type { Resolution } from "../scenario/resolve.js";

/** Prints every setting in force and who gave it: a table, or an array of {setting, value, origin}. */
export function printExplanation(resolution: Resolution, asJson: boolean): void {
  const settings = explainSettings(resolution);
  if (asJson) {
    process.stdout.write(`${JSON.stringify(settings, null, 2)}\n`);
    return;
  }
  const rows = settings.map(({ setting, value, origin }) => [
    setting,
    typeof value === "string" ? value : JSON.stringify(value),
    origin,
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const [setting, value, origin] of rows) {
    process.stdout.write(`${setting!.padEnd(widths[0]!)}  ${value!.padEnd(widths[1]!)}  ${origin!}\n`);
  }
}

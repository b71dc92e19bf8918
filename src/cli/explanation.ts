import { basename, isAbsolute } from "node:path";
import { PRESETS } from "../routing/registry.js";
import { explainSettings, type ExplainedSetting } from "../scenario/explain.js";
import type { Resolution } from "../scenario/resolve.js";
import { bullets, hanging } from "./wrapped-text.js";

/** Prints every setting in force and who gave it: tables, or an array of {setting, value, origin}. */
export function printExplanation(resolution: Resolution, asJson: boolean): void {
  const settings = explainSettings(resolution);
  process.stdout.write(
    asJson ? `${JSON.stringify(settings, null, 2)}\n` : tables(settings) + presetText(resolution),
  );
}

/** One table for each block of the scenario, so that names stay short. */
function tables(settings: readonly ExplainedSetting[]): string {
  const blocks = new Map<string, string[][]>();
  for (const { setting, value, origin } of settings) {
    const dot = setting.lastIndexOf(".");
    const block = dot < 0 ? "scenario" : setting.slice(0, dot);
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const rows = blocks.get(block) ?? [];
    blocks.set(block, rows);
    rows.push([setting.slice(dot + 1), text, shortOrigin(origin)]);
  }
  return [...blocks].map(([block, rows]) => `${block}\n${table(rows)}\n`).join("");
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      ([name, value, origin]) => `  ${name!.padEnd(widths[0]!)}  ${value!.padEnd(widths[1]!)}  ${origin!}\n`,
    )
    .join("");
}

/** `FILE:LINE` without the folders, `preset` without its name, which is the value of `router.preset`. */
function shortOrigin(origin: string): string {
  if (origin.startsWith("preset ")) return "preset";
  return isAbsolute(origin) ? basename(origin) : origin;
}

/** What the preset in force stands for, and what it does not. */
function presetText({ router }: Resolution): string {
  const preset = PRESETS.find(({ name }) => name === router.settings[0]!.value);
  if (preset === undefined) return "";
  return [
    hanging(`preset ${preset.name}: `, preset.source),
    bullets("models", preset.models),
    bullets("does not model", preset.doesNotModel),
  ].join("");
}

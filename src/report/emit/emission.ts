import type { ParameterValue } from "../../routing/parameters.js";
import { alwaysDisaggregates, looksAtLoad, type RouterSettings, type Wanted } from "./wanted.js";

/** A command line, in lines as people would break it. */
export interface CommandLine {
  readonly program: readonly string[];
  /** A flag and its values each; a value may be a placeholder such as `http://PREFILL-0:8000`. */
  readonly flags: readonly (readonly string[])[];
}

/** A setting that a product cannot be given, and what it does instead. */
export interface Difference {
  /** Dotted path in the `router` block. */
  readonly setting: string;
  readonly wanted: ParameterValue;
  readonly instead: ParameterValue;
  readonly reason: string;
}

/** Settings of a run in the form of one product. */
export interface Emission {
  /** Product and version. */
  readonly product: string;
  /** What to run or to deploy. */
  readonly form: { readonly command: CommandLine } | { readonly yaml: string };
  /** Where the product, set up so, still does something else. */
  readonly differences: readonly Difference[];
  /** What to know besides. */
  readonly notes: readonly string[];
}

/** A product that settings can be written for. */
export interface EmitTarget {
  /** The name users type. */
  readonly name: string;
  readonly summary: string;
  readonly emit: (wanted: Wanted) => Emission;
}

/** Why a product cannot do what a setting says, by the setting's path or a beginning of it; the longest one counts. */
export type Reasons = Readonly<Record<string, string>>;

/**
 * What a product does other than wanted.
 *
 * @param product the settings that the product runs with, in pdbench's terms: its preset with what was emitted
 */
export function differences(wanted: Wanted, product: RouterSettings, reasons: Reasons): Difference[] {
  const found: Difference[] = [];
  for (const [setting, value] of wanted.settings) {
    const instead = product.get(setting);
    // Parameters of a decider or policy that the product does not have: its name differs, and says so.
    if (instead === undefined || instead === value || isMoot(setting, wanted)) continue;
    if (setting === "order" && isSameOrder(wanted, value, instead)) continue;
    if (setting === "decider.kind" && alwaysDisaggregates(wanted.config) && instead === "always") continue;
    found.push({ setting, wanted: value, instead, reason: reasonFor(setting, reasons) });
  }
  return found.filter(({ setting }) => !isParameterOfOther(setting, found));
}

const LOOKS_AT_PROMPT_ALONE = ["always", "never", "threshold", "length_bucket"];

/** Settings that nothing chosen looks at. */
function isMoot(setting: string, { config }: Wanted): boolean {
  const neverPrefills = config.decider.name === "never";
  if (setting.startsWith("load_accounting.")) return !looksAtLoad(config);
  if (!neverPrefills) return false;
  return setting.startsWith("prefill") || ["order", "pairing", "without_prefill_worker"].includes(setting);
}

/** Deciders that look at the prompt alone do not mind whether the decode worker is chosen before or after them. */
function isSameOrder({ config }: Wanted, ...orders: readonly ParameterValue[]): boolean {
  return (
    LOOKS_AT_PROMPT_ALONE.includes(config.decider.name) &&
    orders.every((order) => order === "independent" || order === "decode_first")
  );
}

/** A parameter that two deciders or policies happen to share says nothing once they differ. */
function isParameterOfOther(setting: string, found: readonly Difference[]): boolean {
  const [block, name] = setting.split(".");
  if (name === undefined || name === "kind") return false;
  const owner = block === "decider" ? "decider.kind" : `${block!}_policy`;
  return found.some((difference) => difference.setting === owner);
}

function reasonFor(setting: string, reasons: Reasons): string {
  const [longest] = Object.keys(reasons)
    .filter((beginning) => setting.startsWith(beginning))
    .toSorted((a, b) => b.length - a.length);
  return longest === undefined ? "there is no setting for it" : reasons[longest]!;
}

/** `http://PREFILL-0:8000`, ...: one for each worker of the fleet. */
export function placeholders(leg: "prefill" | "decode", workers: number): string[] {
  return Array.from({ length: workers }, (_, i) => `http://${leg.toUpperCase()}-${i}:8000`);
}

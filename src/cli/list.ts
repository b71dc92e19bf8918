import { Argument, Command } from "commander";
import { didYouMean } from "../values/nearest-name.js";
import { InputError } from "../errors.js";
import { bullets, hanging } from "./wrapped-text.js";

/** One entry of a list. */
interface Listed {
  readonly name: string;
  readonly summary: string;
  /** Product and version, paper or data that it follows. */
  readonly source: string;
  /** Presets: what of the product the settings reproduce. */
  readonly models?: readonly string[];
  /** Presets: what of the product they do not. */
  readonly doesNotModel?: readonly string[];
}

/** What can be listed, and where it comes from. */
const KINDS: Readonly<Record<string, () => Promise<readonly Listed[]>>> = {
  policies: async () => (await import("../routing/registry.js")).POLICIES,
  deciders: async () => (await import("../routing/registry.js")).DECIDERS,
  presets: async () => (await import("../routing/registry.js")).PRESETS,
  profiles: async () => (await import("../engine/builtin-profile.js")).PROFILES,
  scenarios: async () => {
    const { shippedScenarios } = await import("../scenario/load.js");
    return shippedScenarios().map(({ name, summary, file }) => ({ name, summary, source: file }));
  },
  "trace-formats": async () => (await import("../workload/formats/trace-formats.js")).TRACE_FORMATS,
};

/** What can be listed. */
export const LIST_KINDS: readonly string[] = Object.keys(KINDS);

const EXAMPLES = `
Examples:
  $ pdbench list policies
  $ pdbench list presets
  $ pdbench list profiles --json
`;

/** `pdbench list KIND`: what there is of a kind, with a line each; of presets what they model, too. */
export function listCommand(): Command {
  return new Command("list")
    .description("Lists what there is of a kind, one line each; of presets what they model and what not.")
    .addArgument(new Argument("<kind>", LIST_KINDS.join(", ")))
    .option(
      "--json",
      "print an array of {name, summary, source}; presets have models and does_not_model, too",
    )
    .addHelpText("after", EXAMPLES)
    .action(async (kind: string, { json }: { json?: true }) => {
      if (!Object.hasOwn(KINDS, kind)) {
        throw new InputError(
          `list ${kind}: unknown kind${didYouMean(kind, LIST_KINDS) || `, expected one of ${LIST_KINDS.join(", ")}`}`,
        );
      }
      const listed = await KINDS[kind]!();
      process.stdout.write(
        json === true ? `${JSON.stringify(listed.map(toJson), null, 2)}\n` : renderList(listed),
      );
    });
}

function toJson({ name, summary, source, models, doesNotModel }: Listed): object {
  return { name, summary, source, ...(models && { models, does_not_model: doesNotModel }) };
}

/** Names in one column, summaries wrapped in the other. */
function renderList(listed: readonly Listed[]): string {
  const nameWidth = Math.max(0, ...listed.map(({ name }) => name.length));
  return listed
    .map((entry) => (entry.models === undefined ? line(entry, nameWidth) : described(entry)))
    .join("");
}

function line({ name, summary }: Listed, nameWidth: number): string {
  return hanging(`${name.padEnd(nameWidth)}  `, summary);
}

function described({ name, summary, source, models = [], doesNotModel = [] }: Listed): string {
  return [
    `${name}\n`,
    hanging("  ", summary),
    hanging("  Source: ", source),
    bullets("models", models),
    bullets("does not model", doesNotModel),
    "\n",
  ].join("");
}

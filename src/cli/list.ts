import { Argument, Command } from "commander";
import { didYouMean } from "../values/nearest-name.js";
import { InputError } from "../errors.js";
import { wrap } from "./help-text.js";

/** One line of a list. */
interface Listed {
  readonly name: string;
  readonly summary: string;
  /** Product and version, paper or data that it follows. */
  readonly source: string;
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
  $ pdbench list profiles --json
`;

const WIDTH = 100;

/** `pdbench list KIND`: what there is of a kind, one line each. */
export function listCommand(): Command {
  return new Command("list")
    .description("Lists what there is of a kind, one line each.")
    .addArgument(new Argument("<kind>", LIST_KINDS.join(", ")))
    .option("--json", "print an array of {name, summary, source}")
    .addHelpText("after", EXAMPLES)
    .action(async (kind: string, { json }: { json?: true }) => {
      if (!Object.hasOwn(KINDS, kind)) {
        throw new InputError(
          `list ${kind}: unknown kind${didYouMean(kind, LIST_KINDS) || `, expected one of ${LIST_KINDS.join(", ")}`}`,
        );
      }
      const listed = (await KINDS[kind]!()).map(({ name, summary, source }) => ({ name, summary, source }));
      process.stdout.write(json === true ? `${JSON.stringify(listed, null, 2)}\n` : renderList(listed));
    });
}

/** Names in one column, summaries wrapped in the other. */
function renderList(listed: readonly Listed[]): string {
  const nameWidth = Math.max(0, ...listed.map(({ name }) => name.length));
  return listed
    .map(({ name, summary }) => {
      const [first, ...more] = wrap(summary, WIDTH - nameWidth - 2);
      const indent = " ".repeat(nameWidth + 2);
      return [`${name.padEnd(nameWidth)}  ${first ?? ""}`, ...more.map((line) => indent + line), ""].join(
        "\n",
      );
    })
    .join("");
}

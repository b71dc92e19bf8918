import { readFileSync } from "node:fs";
import { format } from "prettier";
import { expectation, type ParameterSpec } from "../../src/routing/parameters.js";
import type { Preset } from "../../src/routing/presets/preset.js";
import { DECIDERS, POLICIES, PRESETS } from "../../src/routing/registry.js";
import type { DeciderSpec, PolicySpec } from "../../src/routing/specs.js";

const INTRODUCTION = `# Policies, deciders and presets

*Written by \`npm run docs\` from the code (\`src/routing/registry.ts\`); edit there.*

A **decider** says whether a request is disaggregated: prefilled on one worker and decoded on another. A **policy** says
which worker a leg goes to. A **preset** is a public router as it ships: a decider, two policies and their parameters.
[concepts.md](concepts.md) explains the words. Parameters stand in a scenario's \`router\` block under their names, or behind
\`--set router.NAME=VALUE\`; every random choice draws from a stream of the run's seed, so that a run can be repeated.
`;

/** The text of docs/policies.md. */
export async function policyPage(): Promise<string> {
  const sections = [
    INTRODUCTION,
    "## Policies",
    indexOf(POLICIES),
    ...POLICIES.map(policySection),
    "## Deciders",
    indexOf(DECIDERS),
    ...DECIDERS.map(deciderSection),
    "## Presets",
    ...PRESETS.map(presetSection),
  ];
  return format(sections.join("\n\n"), { parser: "markdown", printWidth: 120 });
}

function indexOf(specs: readonly (PolicySpec | DeciderSpec)[]): string {
  const lines = specs.map(({ name, summary }) => `| [${name}](#${name}) | ${cell(summary)} |`);
  return ["| name | |", "| --- | --- |", ...lines].join("\n");
}

function policySection(policy: PolicySpec): string {
  const source = sourceOf("policies", policy.name);
  const defaults = defaultsOf(policy.parameters);
  const facts = [
    ...(policy.usesStats(defaults) ? ["the engines' statistics, as old as `signals` makes them"] : []),
    ...(policy.usesKvEvents(defaults) ? ["the engines' KV events"] : []),
  ];
  const notes = [
    ...(facts.length === 0 ? [] : [`Goes by ${facts.join(" and ")}.`]),
    ...(policy.givesCosts ? ["Gives costs, so that it can choose both legs together (`order: joint`)."] : []),
    tiesOf(policy, source),
  ];
  return section(policy, source, notes, usedBy(policy.name, ["policy", "prefill_policy", "decode_policy"]));
}

function deciderSection(decider: DeciderSpec): string {
  const source = sourceOf("deciders", decider.name);
  const notes = [
    ...(decider.usesStats(defaultsOf(decider.parameters)) ? ["Goes by the engines' statistics."] : []),
    ...(decider.usesPrefixes ? ["Needs an index of prefixes, which the router keeps for it."] : []),
    "Draws nothing at random.",
  ];
  return section(decider, source, notes, usedBy(decider.name, ["decider"]));
}

function section(
  { name, summary, source: product, parameters }: PolicySpec | DeciderSpec,
  source: string,
  notes: readonly string[],
  presets: readonly string[],
): string {
  return [
    `### ${name}`,
    ...(docstringOf(source).startsWith(summary.replace(/[.:]$/, "")) ? [] : [summary]),
    docstringOf(source),
    notes.join(" "),
    `Source: ${product}. ${presets.length === 0 ? "In no preset." : `In presets: ${presets.join(", ")}.`}`,
    parameterTable(parameters),
  ].join("\n\n");
}

function parameterTable(parameters: readonly ParameterSpec[]): string {
  if (parameters.length === 0) return "No parameters.";
  const rows = parameters.map((parameter) => {
    const { name, unit, summary } = parameter;
    const values = `${expectation(parameter).replaceAll('"', "`")}${unit === "" ? "" : `; ${unit}`}`;
    return `| \`${name}\` | \`${String(parameter.default)}\` | ${cell(values)} | ${cell(summary)} |`;
  });
  return ["| parameter | default | takes | |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function presetSection({
  name,
  summary,
  source,
  models,
  doesNotModel,
  settings,
  statsIntervalMs,
}: Preset): string {
  const stats =
    statsIntervalMs === null
      ? "It polls no engine statistics."
      : `It polls the engines every ${statsIntervalMs} ms.`;
  const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join("\n");
  return [
    `### ${name}`,
    summary,
    `Source: ${source}. ${stats}`,
    `Reproduces:\n\n${list(models)}`,
    `Leaves out:\n\n${list(doesNotModel)}`,
    `Settings:\n\n\`\`\`json\n${JSON.stringify(settings, null, 2)}\n\`\`\``,
  ].join("\n\n");
}

/** How equals are told apart, read off the parameters, or whether the code draws from the seeded stream. */
function tiesOf({ parameters }: PolicySpec, source: string): string {
  const ties = parameters.find(({ name }) => name === "ties");
  if (ties !== undefined) return `Equals: \`ties\`, by default \`${ties.default ?? "as the form has it"}\`.`;
  return /context\.random|[{,] random [,}]|\brandom\.(?:next|below|pick)/.test(source)
    ? "Draws from the run's seeded stream."
    : "Draws nothing at random of its own.";
}

function usedBy(name: string, keys: readonly string[]): string[] {
  return PRESETS.filter(({ settings }) => keys.some((key) => settings[key] === name)).map(
    (preset) => `[${preset.name}](#${preset.name})`,
  );
}

function defaultsOf(parameters: readonly ParameterSpec[]): Record<string, ParameterSpec["default"]> {
  return Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter.default]));
}

/** The file of a policy or decider: its name in kebab-case. */
function sourceOf(folder: string, name: string): string {
  const file = new URL(`../../src/routing/${folder}/${name.replaceAll("_", "-")}.ts`, import.meta.url);
  return readFileSync(file, "utf8");
}

/** The docstring right above the spec: the rule or formula, in Markdown; empty where there is none. */
function docstringOf(source: string): string {
  const found = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport const \w+ = (?:policy|decider)Spec\(/.exec(source);
  return found === null ? "" : found[1]!.replaceAll(/^ *\* ?/gm, "").trim();
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

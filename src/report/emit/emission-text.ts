import { shellWord } from "../setting-words.js";
import type { CommandLine, Difference, Emission } from "./emission.js";

const WIDTH = 100;

/**
 * An emission as text that can be pasted: the command line or YAML as it is, all else in comments.
 *
 * @param what which settings these are, a line of words
 */
export function emissionText({ product, form, differences, notes }: Emission, what: string): string {
  const body = "command" in form ? commandText(form.command) : form.yaml.trimEnd();
  const about = [
    `For ${product}: ${what}`,
    differences.length === 0
      ? "All of the router's settings are expressed."
      : "What cannot be expressed, and what the product does instead:",
  ];
  return [
    comment(about[0]!),
    body,
    comment(about[1]!),
    ...differenceLines(differences).map((words) => comment(words, "- ")),
    ...(notes.length === 0 ? [] : [comment("To know:"), ...notes.map((note) => comment(note, "- "))]),
    "",
  ].join("\n");
}

/** A command over several lines, flags below each other, as a shell reads it. */
export function commandText({ program, flags }: CommandLine): string {
  const lines = [program.join(" "), ...flags.map((words) => `  ${words.map(shellWord).join(" ")}`)];
  return lines.join(" \\\n");
}

/** One line each; what is the same on both legs is said once. */
function differenceLines(differences: readonly Difference[]): string[] {
  const settings = new Map<string, string[]>();
  for (const { setting, wanted, instead, reason } of differences) {
    const words = `${String(wanted)} is wanted, it has ${String(instead)}: ${reason}`;
    settings.set(words, [...(settings.get(words) ?? []), setting]);
  }
  return [...settings].map(([words, names]) => `${names.join(", ")}: ${words}`);
}

/** Comment lines of at most `WIDTH` columns. */
function comment(text: string, bullet = ""): string {
  const lines: string[] = [];
  let line = `# ${bullet}`;
  const indent = `# ${" ".repeat(bullet.length)}`;
  for (const [i, word] of text.split(" ").entries()) {
    if (i > 0 && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line += i === 0 ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}

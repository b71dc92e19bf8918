import type { Completion, CompletionCommand } from "./completion-tree.js";

/** Shells there is a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The script that makes `shell` complete pdbench's commands, flags and their values. */
export function completionScript(shell: Shell, tree: readonly CompletionCommand[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](tree);
}

/** Commands that stand first, without those of `trace`. */
function topCommands(tree: readonly CompletionCommand[]): CompletionCommand[] {
  return tree.filter(({ path }) => !path.includes(" "));
}

/** `trace`: commands whose second word belongs to their name. */
function groups(tree: readonly CompletionCommand[]): string[] {
  return [...new Set(tree.flatMap(({ path }) => (path.includes(" ") ? [path.split(" ")[0]!] : [])))];
}

/** Branches of a `case` over `COMMAND FLAG`, those with the same outcome together. */
function valueBranches(tree: readonly CompletionCommand[], outcome: (value: Completion) => string): string {
  const patterns = new Map<string, string[]>();
  for (const { path, flags } of tree) {
    for (const { name, value } of flags) {
      if (value === null) continue;
      const of = outcome(value);
      patterns.set(of, [...(patterns.get(of) ?? []), `"${path} ${name}"`]);
    }
  }
  return [...patterns].map(([of, names]) => `    ${names.join("|")}) ${of}; return ;;\n`).join("");
}

function bashScript(tree: readonly CompletionCommand[]): string {
  const reply = ({ words, paths }: Completion): string => {
    const files = { files: " -f", folders: " -d", none: "" }[paths];
    const generate = `COMPREPLY=($(compgen${files} -W "${words.join(" ")}" -- "$current"))`;
    return paths === "none" ? generate : `${generate}; compopt -o filenames 2>/dev/null`;
  };
  const flags = tree.map(
    ({ path, flags }) => `      "${path}") words="${flags.map(({ name }) => name).join(" ")}" ;;\n`,
  );
  const args = tree.flatMap(({ path, argument }) =>
    argument === null ? [] : [`    "${path}") ${reply(argument)} ;;\n`],
  );
  return `# Completion of pdbench for bash. In ~/.bashrc:  source <(pdbench completion bash)
_pdbench() {
  local current previous command words
  current="\${COMP_WORDS[COMP_CWORD]}"
  previous="\${COMP_WORDS[COMP_CWORD-1]}"
  # bash splits --flag=value in three.
  if [[ "$current" == "=" ]]; then current=""
  elif [[ "$previous" == "=" ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "${topCommands(tree)
      .map(({ path }) => path)
      .join(" ")} --help --version" -- "$current"))
    return
  fi
  command="\${COMP_WORDS[1]}"
  case "$command" in
    ${groups(tree).join("|")}) if (( COMP_CWORD > 2 )); then command="$command \${COMP_WORDS[2]}"; fi ;;
  esac
  case "$command $previous" in
${valueBranches(tree, reply)}  esac
  if [[ "$current" == -* ]]; then
    case "$command" in
${flags.join("")}      *) words="" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case "$command" in
${args.join("")}  esac
}
complete -F _pdbench pdbench
`;
}

function zshScript(tree: readonly CompletionCommand[]): string {
  const reply = ({ words, paths }: Completion): string => {
    const parts = [
      ...(words.length === 0 ? [] : [`compadd -- ${words.join(" ")}`]),
      ...{ files: ["_files"], folders: ["_files -/"], none: [] }[paths],
    ];
    return parts.length === 0 ? ":" : parts.join("; ");
  };
  const described = (name: string, summary: string): string =>
    `'${name.replaceAll(":", "\\:")}:${summary.replaceAll("'", "'\\''")}'`;
  const flags = tree.map(({ path, flags }) => {
    const list = flags.map(({ name, summary }) => described(name, summary)).join(" ");
    return `      "${path}") choices=(${list}) ;;\n`;
  });
  const args = tree.flatMap(({ path, argument }) =>
    argument === null ? [] : [`    "${path}") ${reply(argument)} ;;\n`],
  );
  return `#compdef pdbench
# Completion of pdbench for zsh. In ~/.zshrc, after compinit:  source <(pdbench completion zsh)
_pdbench() {
  local command=$words[2] previous=$words[CURRENT-1]
  local -a choices
  if (( CURRENT == 2 )); then
    choices=(${topCommands(tree)
      .map(({ path, summary }) => described(path, summary))
      .join(" ")})
    _describe command choices
    return
  fi
  case $command in
    ${groups(tree).join("|")}) if (( CURRENT > 3 )); then command="$command $words[3]"; fi ;;
  esac
  if [[ $words[CURRENT] == --*=* ]]; then
    previous=\${words[CURRENT]%%=*}
    compset -P '*='
  fi
  case "$command $previous" in
${valueBranches(tree, reply)}  esac
  if [[ $words[CURRENT] == -* ]]; then
    case $command in
${flags.join("")}    esac
    _describe option choices
    return
  fi
  case $command in
${args.join("")}  esac
}
if [[ $funcstack[1] == _pdbench ]]; then _pdbench "$@"; else compdef _pdbench pdbench; fi
`;
}

function fishScript(tree: readonly CompletionCommand[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = topCommands(tree).map(
    ({ path, summary }) => `complete -c pdbench -f -n __fish_use_subcommand -a ${path} -d ${quoted(summary)}`,
  );
  for (const { path, flags, argument } of tree) {
    const seen = path.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
    const condition = quoted(seen.join("; and "));
    for (const { name, summary, value } of flags) {
      const takes = value === null ? "" : ` ${fishValue(value, quoted)}`;
      lines.push(`complete -c pdbench -n ${condition} -l ${name.slice(2)}${takes} -d ${quoted(summary)}`);
    }
    if (argument !== null)
      lines.push(`complete -c pdbench -n ${condition} ${fishArgument(argument, quoted)}`);
  }
  return `# Completion of pdbench for fish:  pdbench completion fish > ~/.config/fish/completions/pdbench.fish
${lines.join("\n")}
`;
}

type Quote = (text: string) => string;

function fishValue({ words, paths }: Completion, quoted: Quote): string {
  const list = words.length === 0 ? "" : ` -a ${quoted(words.join(" "))}`;
  if (paths === "files") return `-r -F${list}`;
  return paths === "folders" ? `-x -a '(__fish_complete_directories)'` : `-x${list}`;
}

function fishArgument({ words, paths }: Completion, quoted: Quote): string {
  if (paths === "folders") return `-f -a '(__fish_complete_directories)'`;
  const list = words.length === 0 ? "" : ` -a ${quoted(words.join(" "))}`;
  return `${paths === "files" ? "-F" : "-f"}${list}`;
}

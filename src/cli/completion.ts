import { Argument, Command } from "commander";
import { InputError } from "../errors.js";
import { didYouMean } from "../values/nearest-name.js";
import { completionScript, SHELLS, type Shell } from "./completion-scripts.js";

const EXAMPLES = `
The script completes commands, flags, the names that flags take (policies, presets, profiles ...),
scenarios and files. It goes with the program \`pdbench\` (npm install --global), not with npx.

Examples:
  $ source <(pdbench completion bash)      in ~/.bashrc
  $ source <(pdbench completion zsh)       in ~/.zshrc, after compinit
  $ pdbench completion fish > ~/.config/fish/completions/pdbench.fish
`;

/** `pdbench completion SHELL`: the script that makes a shell complete pdbench. */
export function completionCommand(): Command {
  return new Command("completion")
    .description("Prints the script with which a shell completes pdbench's commands and flags.")
    .addArgument(new Argument("<shell>", SHELLS.join(", ")))
    .addHelpText("after", EXAMPLES)
    .action(async (shell: string) => {
      if (!SHELLS.includes(shell as Shell)) {
        const hint = didYouMean(shell, SHELLS);
        throw new InputError(
          `completion ${shell}: unknown shell, expected one of ${SHELLS.join(", ")}${hint}`,
        );
      }
      // Not above: the list of commands has this one in it.
      const { COMMANDS } = await import("./commands.js");
      const { completionTree } = await import("./completion-tree.js");
      process.stdout.write(completionScript(shell as Shell, await completionTree(COMMANDS)));
    });
}

import { Command } from "commander";
import { holdingDirectory } from "../sweep/directory-lock.js";
import { mergeShards } from "../sweep/shards.js";
import { checkSweepFolder } from "../sweep/sweep-log.js";
import { deliverSweep } from "./sweep-output.js";

const EXAMPLES = `
The shards may come from different machines, in any order. The result has the same bytes as a sweep without --shard.

Examples:
  $ pdbench merge out/shard-1 out/shard-2 out/shard-3 out/shard-4 --out out/threshold
  $ pdbench merge out/shard-* --json > sweep.json
`;

interface MergeFlags {
  readonly out?: string;
  readonly json?: true;
}

/** `pdbench merge DIR...`: one result from the shards of a sweep. */
export function mergeCommand(): Command {
  return new Command("merge")
    .description("Puts the shards of a sweep together: sweep.json, points.csv, report.")
    .argument("<dir...>", "what `pdbench sweep --shard I/N --out DIR` wrote, all N of them")
    .option("--out <DIR>", "write sweep.json, points.csv and the report there")
    .option("--json", "print sweep.json instead of a table")
    .addHelpText("after", EXAMPLES)
    .action(async (directories: string[], { out, json }: MergeFlags) => {
      if (out !== undefined) checkSweepFolder(out, "points.csv");
      const sweep = await mergeShards(directories);
      if (out === undefined) return deliverSweep(sweep, null, json === true);
      await holdingDirectory(out, () => deliverSweep(sweep, out, json === true));
    });
}

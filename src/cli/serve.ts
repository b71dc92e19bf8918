import { availableParallelism } from "node:os";
import { Command } from "commander";
import { startServe } from "../serve/server.js";
import { localExecutor } from "../sweep/local-executor.js";
import { portFlag, wholeNumberFlag } from "./number-flags.js";

const EXAMPLES = `
Shows every run and sweep below DIR in a browser: filter and sort the list, open reports, tick several and compare them,
start sweeps from a form and follow them.
It answers on 127.0.0.1 only. From another machine: ssh -L 8350:127.0.0.1:8350 HOST, then http://127.0.0.1:8350.

Examples:
  $ pdbench serve out
  $ pdbench serve out --port 0             any free port; the address is printed
`;

/** `pdbench serve DIR`: a folder of runs and sweeps in a browser. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("Shows a folder of runs and sweeps in a browser on this machine.")
    .argument("<dir>", "folder below which runs and sweeps lie")
    .option("--port <PORT>", "port to listen on; 0 = any", portFlag("--port"), 8350)
    .option(
      "--workers <N>",
      "threads for sweeps that are started from the page",
      wholeNumberFlag("--workers", 1),
      availableParallelism(),
    )
    .addHelpText("after", EXAMPLES)
    .action(serve);
}

interface ServeFlags {
  readonly port: number;
  readonly workers: number;
}

async function serve(directory: string, { port, workers }: ServeFlags): Promise<void> {
  const site = await startServe({
    directory,
    port,
    execute: localExecutor(workers),
    onDefect: (error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(`pdbench: this is a defect of pdbench, please report it\n${text}\n`);
    },
  });
  process.stderr.write(`pdbench serve shows ${directory} at ${site.url}/ (Ctrl+C ends it)\n`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await site.close();
}

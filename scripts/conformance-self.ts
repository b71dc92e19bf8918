/**
 * `npm run conformance:self [-- FLAGS]`: the conformance kit against our own proxy, once per dialect. FLAGS go to every
 * `pdbench conformance`, for example `--only errors`. The last line is the tally over all dialects; exit status 1
 * if a case failed.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { OWN_PROXY_COMMANDS } from "./conformance-self/own-proxy-commands.js";

const PDBENCH = fileURLToPath(new URL("../bin/pdbench.js", import.meta.url));
const TALLY = /^(\d+) passed, (\d+) failed, (\d+) warned, (\d+) skipped$/;

const total = [0, 0, 0, 0];
let ended = true;
for (const [dialect, command] of Object.entries(OWN_PROXY_COMMANDS)) {
  console.log(`\n${dialect}`);
  const tally = await runDialect(dialect, command);
  if (tally === null) ended = false;
  tally?.forEach((count, i) => (total[i]! += count));
}
const [passed, failed, warned, skipped] = total;
console.log(
  `\nover ${Object.keys(OWN_PROXY_COMMANDS).length} dialects: ${warned} warned, ${skipped} skipped`,
);
console.log(`${passed} passed, ${failed! + (ended ? 0 : 1)} failed`);
process.exitCode = failed === 0 && ended ? 0 : 1;

/** The tally of one dialect, or null when the kit did not come to its end. */
async function runDialect(dialect: string, command: string): Promise<number[] | null> {
  const args = [PDBENCH, "conformance", "--dialect", dialect, "--expect-session-affinity"];
  const kit = spawn(process.execPath, [...args, "--command", command, ...process.argv.slice(2)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let tally: number[] | null = null;
  for await (const line of createInterface(kit.stdout)) {
    const found = TALLY.exec(line);
    if (found !== null) tally = found.slice(1).map(Number);
    console.log(line);
  }
  return tally;
}

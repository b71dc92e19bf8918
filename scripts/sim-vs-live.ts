/**
 * `npm run sim-vs-live -- --trace FILE`: the same requests simulated and live, through the commands that users run:
 * `simulate`; `mock-engines`, `proxy` and `replay` as processes of their own; `compare`. Prints a table per case.
 *
 *   --trace FILE       the Mooncake conversation trace; default: ../shared/data/traces/mooncake-conversation.jsonl
 *   --case NAMES       some of 2P2D-light,2P2D-heavy,4P4D-light,4P4D-heavy; default: all
 *   --time-scale XS    wall seconds of one second of the engines'; default: 1,0.25
 *   --requests N       the first N of the trace; default: 500
 *   --out DIR          keep the run directories there; default: nowhere
 *   --base-port PORT   the proxy's port, the engines' follow; default: 28100
 *   --lockstep         all in one process, in virtual time that stands still while anything is on a wire
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { InputError } from "../src/errors.js";
import { CASES, type Case } from "./sim-vs-live/cases.js";
import { runLive, simulated, type LiveComparison, type RunSettings } from "./sim-vs-live/live-run.js";
import { runInLockstep } from "./sim-vs-live/lockstep-run.js";
import { caseText } from "./sim-vs-live/result-table.js";
import { tieSpread } from "./sim-vs-live/tie-spread.js";

const TRACE = fileURLToPath(new URL("../../shared/data/traces/mooncake-conversation.jsonl", import.meta.url));

const { values: flags } = parseArgs({
  options: {
    trace: { type: "string", default: TRACE },
    case: { type: "string", default: CASES.map(({ name }) => name).join() },
    "time-scale": { type: "string", default: "1,0.25" },
    requests: { type: "string", default: "500" },
    out: { type: "string" },
    "base-port": { type: "string", default: "28100" },
    lockstep: { type: "boolean", default: false },
  },
});

const cases = flags.case.split(",").map(caseNamed);
const timeScales = flags["time-scale"].split(",").map((text) => positive("--time-scale", text));
const temporary = flags.out === undefined ? mkdtempSync(join(tmpdir(), "pdbench-sim-vs-live-")) : null;
const settings: RunSettings = {
  trace: flags.trace,
  requests: positive("--requests", flags.requests),
  folder: flags.out ?? temporary!,
  basePort: positive("--base-port", flags["base-port"]),
};

console.log(
  `node ${process.version}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? "an unknown CPU"}; ` +
    `the first ${settings.requests} requests`,
);
try {
  for (const theCase of cases) {
    const title = `${theCase.name}, ${theCase.rate} requests/s`;
    if (flags.lockstep) {
      console.log(`\n${caseText(title, [await runInLockstep(theCase, settings)], null)}`);
    } else {
      const spreads = await tieSpread(theCase, settings.trace, settings.requests);
      console.log(`\n${caseText(title, await liveRuns(theCase), spreads)}`);
    }
  }
} finally {
  if (temporary !== null) rmSync(temporary, { recursive: true });
}

async function liveRuns(theCase: Case): Promise<LiveComparison[]> {
  const simulation = await simulated(theCase, settings);
  const comparisons: LiveComparison[] = [];
  for (const timeScale of timeScales) {
    process.stderr.write(`${theCase.name}, live, x${timeScale}\n`);
    comparisons.push(await runLive(theCase, timeScale, simulation, settings));
  }
  return comparisons;
}

function caseNamed(name: string): Case {
  const found = CASES.find((known) => known.name === name);
  if (found !== undefined) return found;
  throw new InputError(`--case ${name}: expected one of ${CASES.map((known) => known.name).join(", ")}`);
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new InputError(`${flag} ${text}: expected a number above 0`);
}

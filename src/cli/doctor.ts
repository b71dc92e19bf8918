import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, freemem, tmpdir, totalmem } from "node:os";
import { delimiter, join } from "node:path";
import { getHeapStatistics } from "node:v8";
import { Command } from "commander";
import { WorkError } from "../errors.js";
import { packageRoot, packageVersion } from "../package-info.js";
import { terminalOptionsOf } from "../report/terminal-style.js";
import { loadScenario } from "../scenario/load.js";
import { loadTrace } from "../sweep/load-trace.js";
import { runScenario } from "../sweep/run-scenario.js";
import { checksOf, checksText, type MachineFacts } from "./doctor-checks.js";

const EXAMPLES = `
Each line is ok, a note (something is missing that a part of pdbench needs) or a problem, and says
what to do next. Exit status 1 where there is a problem.

Examples:
  $ pdbench doctor
  $ pdbench doctor --json
`;

/** `pdbench doctor`: whether this machine has what pdbench needs. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("Says whether this machine has what pdbench needs, and what to do where it has not.")
    .option("--json", "print {ok, checks: [{name, state, found, next}]}")
    .addHelpText("after", EXAMPLES)
    .action(async ({ json }: { json?: true }) => {
      const checks = checksOf(await machineFacts());
      const problems = checks.filter(({ state }) => state === "problem");
      process.stdout.write(
        json === true
          ? `${JSON.stringify({ ok: problems.length === 0, checks }, null, 2)}\n`
          : checksText(checks),
      );
      if (problems.length === 0) return;
      throw new WorkError(`doctor: ${problems.map(({ name }) => name).join(", ")}: see what to do above`);
    });
}

async function machineFacts(): Promise<MachineFacts> {
  const { env } = process;
  const manifest = readFileSync(join(packageRoot(), "package.json"), "utf8");
  const { width, colour } = terminalOptionsOf(process.stdout, env);
  const data = env["PDBENCH_SHARED_DATA"] ?? join(packageRoot(), "..", "shared", "data");
  // 0 or a huge number where nothing limits the process.
  const constrained = process.constrainedMemory();
  const chromium = env["PDBENCH_CHROMIUM"] ?? null;
  return {
    pdbenchVersion: packageVersion(),
    nodeVersion: process.versions.node,
    nodeWanted: (JSON.parse(manifest) as { engines: { node: string } }).engines.node,
    cores: availableParallelism(),
    memoryBytes: constrained > 0 ? Math.min(constrained, totalmem()) : totalmem(),
    freeMemoryBytes: typeof process.availableMemory === "function" ? process.availableMemory() : freemem(),
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    writable: [process.cwd(), tmpdir()].map((folder) => ({ folder, problem: writeProblem(folder) })),
    chromium: chromium !== null && existsSync(chromium) ? chromium : programNamed("chromium"),
    redisServer: programNamed("redis-server") ?? programNamed("valkey-server"),
    redisUrl: env["PDBENCH_REDIS_URL"] ?? null,
    zeromq: await import("zeromq").then(
      () => true,
      () => false,
    ),
    terminal: { isTerminal: process.stdout.isTTY, columns: width, colour },
    sharedData: existsSync(data) ? data : null,
    trial: await trialRun(),
  };
}

/** Writes a file into a folder of its own and takes it away again. */
function writeProblem(folder: string): string | null {
  try {
    const probe = mkdtempSync(join(folder, ".pdbench-doctor-"));
    try {
      writeFileSync(join(probe, "probe"), "probe");
    } finally {
      rmSync(probe, { recursive: true, force: true });
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The path of a program that the shell would find. */
function programNamed(name: string): string | null {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

async function trialRun(): Promise<MachineFacts["trial"]> {
  try {
    const scenario = loadScenario("quickstart", [
      { setting: "requests", value: 200, source: "pdbench doctor" },
    ]);
    const { summary } = runScenario(scenario, await loadTrace(scenario));
    return { requests: summary.requests.completed, wallS: summary.simulator?.wall_s ?? 0 };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

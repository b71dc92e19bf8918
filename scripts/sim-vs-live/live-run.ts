import { mkdir, readFile, rm } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { replayEventLog } from "../../src/proxy/event-log-replay.js";
import type { ComparedFigure } from "../../src/replay/compare-runs.js";
import { SCENARIO, workerFlags, workloadFlags, type Case } from "./cases.js";
import { pdbench, Server } from "./commands.js";

/** What all runs share. */
export interface RunSettings {
  readonly trace: string;
  readonly requests: number;
  /** Folder for the runs. */
  readonly folder: string;
  /** The proxy's port; the engines' follow. */
  readonly basePort: number;
}

/** A live run held against the simulation of the same case. */
export interface LiveComparison {
  readonly title: string;
  readonly figures: readonly ComparedFigure[];
  /** Decisions of the routing core, and those that a fresh core told the same makes otherwise. */
  readonly decisions: number;
  readonly divergences: number;
  /** What else to know of the run, in words. */
  readonly conditions: string;
}

/** Simulates a case; returns the run directory. */
export async function simulated(theCase: Case, settings: RunSettings): Promise<string> {
  const { trace, requests, folder } = settings;
  const out = join(folder, theCase.name, "simulated");
  await pdbench([
    ...["simulate", SCENARIO, "--trace", trace, "--out", out],
    ...workerFlags(theCase),
    ...workloadFlags(theCase, requests),
  ]);
  return out;
}

/** Runs a case live, in processes of their own, and compares it with `simulation`. */
export async function runLive(
  theCase: Case,
  timeScale: number,
  simulation: string,
  settings: RunSettings,
): Promise<LiveComparison> {
  const { trace, requests, folder, basePort } = settings;
  const home = join(folder, theCase.name);
  await mkdir(home, { recursive: true });
  const out = join(home, `live-x${timeScale}`);
  const eventLog = join(home, `events-x${timeScale}.jsonl`);
  const scale = ["--time-scale", String(timeScale)];
  const servers: Server[] = [];
  try {
    const engines = await Server.start(
      [
        ...["mock-engines", SCENARIO, "--base-port", String(basePort + 1), "--json"],
        ...[...workerFlags(theCase), ...scale],
      ],
      /\n}\n$/,
    );
    servers.push(engines);
    const proxy = await Server.start(
      [
        ...["proxy", "--scenario", SCENARIO, "--port", String(basePort), "--event-log", eventLog],
        ...[...upstreams(theCase, basePort + 1), ...scale],
      ],
      /listens on/,
    );
    servers.push(proxy);
    await pdbench([
      ...["replay", trace, "--scenario", SCENARIO, "--url", `http://127.0.0.1:${basePort}`],
      ...["--out", out, ...scale, ...workloadFlags(theCase, requests)],
    ]);
    const conditions = await conditionsOf(out, engines, proxy);
    await proxy.stop();
    const compared = JSON.parse(await pdbench(["compare", simulation, out, "--json"])) as {
      readonly figures: readonly ComparedFigure[];
    };
    const { decisions, divergences } = await replayEventLog(eventLog);
    const title = `live, x${timeScale}`;
    return { title, figures: compared.figures, decisions, divergences: divergences.length, conditions };
  } finally {
    for (const server of servers) await server.stop();
    await rm(eventLog, { force: true });
  }
}

function upstreams({ workers }: Case, firstPort: number): string[] {
  const urls = Array.from({ length: 2 * workers }, (_, i) => `http://127.0.0.1:${firstPort + i}`);
  const prefill = urls.slice(0, workers).flatMap((url) => ["--prefill", url, "none"]);
  return [...prefill, "--decode", ...urls.slice(workers)];
}

async function conditionsOf(out: string, engines: Server, proxy: Server): Promise<string> {
  const { schedule_lag_ms: lag } = JSON.parse(await readFile(join(out, "replay.json"), "utf8")) as {
    readonly schedule_lag_ms: { readonly p50: number; readonly p99: number };
  };
  const { requests } = JSON.parse(await readFile(join(out, "summary.json"), "utf8")) as {
    readonly requests: { readonly total: number; readonly completed: number };
  };
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return (
    `${requests.completed} of ${requests.total} requests completed; sent late: p50 ${lag.p50.toFixed(2)}, ` +
    `p99 ${lag.p99.toFixed(2)} ms; CPU of engines ${percent(engines.cpuShare())}, ` +
    `of proxy ${percent(proxy.cpuShare())} of a core; load average ${loadavg()[0]!.toFixed(1)}`
  );
}

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { BenchCase, BenchFigures } from "./measure.js";

const SCRIPT = fileURLToPath(new URL("../bench-proxy.ts", import.meta.url));

/** What `npm run bench:proxy --json` says of one target. */
interface ProxyRow {
  readonly target: string;
  readonly concurrency: number;
  readonly added_p50_us: number | null;
  readonly cpu_ms_per_1000_requests: number | null;
}

/** What the proxy adds to a request at 16 connections: a short run of `npm run bench:proxy`. */
export const proxy: BenchCase = {
  run() {
    const flags = [
      "--json",
      "--rounds",
      "2",
      "--requests",
      "1000",
      "--warm-up",
      "1000",
      "--connections",
      "16",
    ];
    const child = spawnSync(process.execPath, [...process.execArgv, SCRIPT, ...flags], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (child.status !== 0) throw new Error(`${SCRIPT} failed`);
    const figures: Record<string, number> = {};
    for (const row of (JSON.parse(child.stdout) as { rows: ProxyRow[] }).rows) {
      if (row.added_p50_us === null) continue;
      figures[`${row.target}: added_p50_us`] = row.added_p50_us;
      figures[`${row.target}: cpu_ms_per_1000`] = row.cpu_ms_per_1000_requests ?? NaN;
    }
    return Promise.resolve(figures as BenchFigures);
  },
};

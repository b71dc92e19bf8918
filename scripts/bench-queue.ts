/**
 * `npm run bench:queue [-- --points N] [-- --workers N]`: what a run costs beside its simulation when it goes through
 * Redis. Points of one request each go from a coordinator through a redis-server of its own to worker processes.
 *
 * Figures are CPU time, which tells where each part saturates whatever else this machine does: at one CPU second per
 * second.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { Redis } from "ioredis";
import { parseScenarioSource } from "../src/scenario/scenario-source.js";
import { planSweep } from "../src/sweep/plan.js";
import { queueExecutor } from "../src/sweep/queue/queue-executor.js";
import { parseRedisUrl } from "../src/sweep/queue/redis-connection.js";
import { runSweep } from "../src/sweep/run-sweep.js";

const BIN = fileURLToPath(new URL("../bin/pdbench.js", import.meta.url));
const points = numberOf("--points", 4096);
const workerCount = numberOf("--workers", 2);

const folder = mkdtempSync(join(tmpdir(), "pdbench-bench-"));
const port = await freePort();
const server = spawn(
  "redis-server",
  ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);
await saying(server, "stdout", "Ready to accept");
const url = `redis://127.0.0.1:${port}`;
const workers = Array.from({ length: workerCount }, () =>
  spawn(
    process.execPath,
    [BIN, "worker", "--redis", url, "--threads", "1", "--cache", join(folder, "cache")],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  ),
);
try {
  await Promise.all(workers.map((worker) => saying(worker, "stderr", "takes runs")));
  print(await measure());
} finally {
  for (const child of [...workers, server]) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

interface Figures {
  readonly runs: number;
  readonly wallS: number;
  readonly coordinatorMs: number;
  readonly redisMs: number;
  readonly redisBytes: number;
}

/** CPU time of each part for one run. */
async function measure(): Promise<Figures> {
  const client = new Redis(url);
  const side = Math.round(Math.sqrt(points));
  const text = `
workload: { generate: { kind: lengths }, requests: 1 }
sweep: { engine.max_num_seqs: "1:${side}:1", engine.max_num_batched_tokens: "1024:${1024 + 16 * (side - 1)}:16" }
`;
  const plan = planSweep(parseScenarioSource(text, "bench.yaml"), [], null);
  const redisBefore = await redisCpuMs(client);
  let cpu = process.cpuUsage();
  let startedMs = 0;
  let peakBytes = 0;
  const sampling = setInterval(() => {
    void memoryBytes(client).then((bytes) => (peakBytes = Math.max(peakBytes, bytes)));
  }, 200);
  const execute = queueExecutor(parseRedisUrl(url), (warning) => process.stderr.write(`${warning}\n`));
  let wallS = 0;
  await runSweep(plan, {
    directory: join(folder, "out"),
    keepRuns: false,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    execute: async (tasks, context) => {
      cpu = process.cpuUsage();
      startedMs = performance.now();
      await execute(tasks, context);
      cpu = process.cpuUsage(cpu);
      wallS = (performance.now() - startedMs) / 1000;
    },
  });
  clearInterval(sampling);
  const redisMs = (await redisCpuMs(client)) - redisBefore;
  client.disconnect();
  const runs = plan.points.length;
  return {
    runs,
    wallS,
    coordinatorMs: (cpu.user + cpu.system) / 1000 / runs,
    redisMs: redisMs / runs,
    redisBytes: peakBytes / runs,
  };
}

async function redisCpuMs(client: Redis): Promise<number> {
  const info = await client.info("cpu");
  const seconds = (name: string): number => Number(new RegExp(`^${name}:(.*)$`, "m").exec(info)![1]);
  return 1000 * (seconds("used_cpu_sys") + seconds("used_cpu_user"));
}

async function memoryBytes(client: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))![1]);
}

function print({ runs, wallS, coordinatorMs, redisMs, redisBytes }: Figures): void {
  const table = new Table({ head: ["part", "CPU per run", "saturates at"], style: { head: [], border: [] } });
  const rate = (ms: number): string => `${Math.round(1000 / ms).toLocaleString("en")} runs/s`;
  table.push(["coordinator", `${coordinatorMs.toFixed(3)} ms`, rate(coordinatorMs)]);
  table.push(["redis-server", `${redisMs.toFixed(3)} ms`, rate(redisMs)]);
  console.log(`${runs} runs of one request on ${workerCount} workers in ${wallS.toFixed(1)} s`);
  console.log(table.toString());
  console.log(`Redis held at most ${(redisBytes / 1000).toFixed(1)} kB per run.`);
}

function numberOf(flag: string, fallback: number): number {
  const at = process.argv.indexOf(flag);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

function saying(child: ChildProcess, stream: "stdout" | "stderr", words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child[stream]!.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes(words)) resolve();
    });
    child.once("exit", () => reject(new Error("a process of the benchmark ended before its time")));
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port: free } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return free;
}

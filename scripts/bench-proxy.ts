/**
 * `npm run bench:proxy [-- --json --rounds N --requests N --warm-up N --connections 1,16,64,1000]`: what the proxy adds to a request.
 *
 * autocannon against a trivial engine (16 chunks a request, 2 kB prompt), directly, through nginx where it is
 * installed (or `PDBENCH_NGINX` names it), and through the proxy with one leg and with both. All of them in
 * turns, in every round, so that whatever else the machine does falls on all of them alike; figures are
 * medians over the rounds. From 1,000 connections on the engine sends a chunk every 50 ms, so that as many streams are
 * open at once.
 */
import { cpus } from "node:os";
import autocannon from "autocannon";
import Table from "cli-table3";
import { quantile } from "simple-statistics";
import { InputError } from "../src/errors.js";
import { startTargets, stopTargets, type Target } from "./bench-proxy/targets.js";
import { cpuMs } from "./support/cpu-time.js";

const CHUNKS = 16;
const PACED_FROM_CONNECTIONS = 1000;
const PACE_MS = 50;

/** What one round of one target measured. */
interface Round {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly requestsPerS: number;
  /** CPU time of the target's process per 1,000 requests; null for the engine itself. */
  readonly cpuMsPer1000: number | null;
}

/** Medians over the rounds; `added` is over the direct way at the same concurrency. */
interface Row {
  readonly target: string;
  readonly concurrency: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly added_p50_us: number | null;
  readonly added_p99_us: number | null;
  readonly requests_per_s: number;
  readonly chunks_per_s: number;
  readonly cpu_ms_per_1000_requests: number | null;
  readonly cpu_over_nginx: number | null;
}

const args = process.argv.slice(2);
const rounds = numberAfter("--rounds", 5);
const requests = numberAfter("--requests", 4000);
/** Enough for the compiler of the proxies' process to be done with what is hot. */
const warmUp = numberAfter("--warm-up", 5000);
const concurrencies = listAfter("--connections", [1, 16, 64, 1000]);

const BODY = JSON.stringify({
  model: "m",
  prompt: "All work and no play makes Jack a dull boy. ".repeat(45),
  max_tokens: CHUNKS,
  stream: true,
  temperature: 0,
});

const targets = await startTargets();
const measured = new Map<string, Round[]>();
for (const target of targets) await measure(target, 16, warmUp);
for (let round = 0; round < rounds; round++) {
  for (const concurrency of concurrencies) {
    // The order turns every round, so that no target always comes after the same one.
    const order = round % 2 === 0 ? targets : targets.toReversed();
    for (const target of order) {
      const key = keyOf(target, concurrency);
      process.stderr.write(`round ${round + 1} of ${rounds}, ${concurrency} connections, ${target.name}\n`);
      measured.set(key, [...(measured.get(key) ?? []), await measure(target, concurrency, requests)]);
    }
  }
}
await stopTargets();

const rows = concurrencies.flatMap((concurrency) => targets.map((target) => rowOf(target, concurrency)));
if (args.includes("--json")) {
  process.stdout.write(
    `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, rounds, rows }, null, 2)}\n`,
  );
} else print(rows);

async function measure(target: Target, connections: number, amount: number): Promise<Round> {
  const times: number[] = [];
  const isPaced = connections >= PACED_FROM_CONNECTIONS;
  const startMs = performance.now();
  const before = target.pid === null ? 0 : cpuMs(target.pid);
  const run = autocannon({
    url: `${target.url}/v1/completions`,
    method: "POST",
    headers: { "content-type": "application/json", ...(isPaced && { "x-pace-ms": String(PACE_MS) }) },
    body: BODY,
    connections,
    amount,
  });
  let endMs = startMs;
  void run.on("response", (_client, _status, _bytes, responseTimeMs) => {
    times.push(responseTimeMs);
    // autocannon itself notices the end of its requests a second late at worst.
    endMs = performance.now();
  });
  const { errors, non2xx } = await run;
  const tookS = (endMs - startMs) / 1000;
  if (errors + non2xx > 0)
    throw new Error(`${target.name}: ${errors} errors, ${non2xx} answers that are not 2xx`);
  return {
    p50Us: quantile(times, 0.5) * 1000,
    p99Us: quantile(times, 0.99) * 1000,
    requestsPerS: times.length / tookS,
    cpuMsPer1000: target.pid === null ? null : ((cpuMs(target.pid) - before) / times.length) * 1000,
  };
}

function rowOf(target: Target, concurrency: number): Row {
  const own = measured.get(keyOf(target, concurrency))!;
  const direct = measured.get(keyOf(targets[0]!, concurrency))!;
  const nginx = targets.find(({ name }) => name === "nginx");
  const nginxRounds = nginx === undefined ? null : measured.get(keyOf(nginx, concurrency))!;
  const isDirect = target === targets[0];
  const requestsPerS = median(own.map((round) => round.requestsPerS));
  const cpu = target.pid === null ? null : median(own.map((round) => round.cpuMsPer1000!));
  return {
    target: target.name,
    concurrency,
    p50_us: median(own.map((round) => round.p50Us)),
    p99_us: median(own.map((round) => round.p99Us)),
    added_p50_us: isDirect ? null : median(own.map((round, i) => round.p50Us - direct[i]!.p50Us)),
    added_p99_us: isDirect ? null : median(own.map((round, i) => round.p99Us - direct[i]!.p99Us)),
    requests_per_s: requestsPerS,
    chunks_per_s: requestsPerS * CHUNKS,
    cpu_ms_per_1000_requests: cpu,
    cpu_over_nginx:
      cpu === null || nginxRounds === null
        ? null
        : median(own.map((round, i) => round.cpuMsPer1000! / nginxRounds[i]!.cpuMsPer1000!)),
  };
}

function print(all: readonly Row[]): void {
  console.log(
    `node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}, ${rounds} rounds of ${requests} requests, medians`,
  );
  const head = [
    "connections",
    "target",
    "p50 us",
    "p99 us",
    "added p50",
    "added p99",
    "requests/s",
    "chunks/s",
    "CPU ms/1000",
    "/ nginx",
  ];
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: ["right", "left", ...head.slice(2).map(() => "right" as const)],
  });
  for (const row of all) {
    table.push([
      row.concurrency,
      row.target,
      ...[
        row.p50_us,
        row.p99_us,
        row.added_p50_us,
        row.added_p99_us,
        row.requests_per_s,
        row.chunks_per_s,
      ].map((value) => shown(value, 0)),
      shown(row.cpu_ms_per_1000_requests, 0),
      shown(row.cpu_over_nginx, 2),
    ]);
  }
  console.log(table.toString());
  if (!targets.some(({ name }) => name === "nginx"))
    console.log("nginx is not installed; PDBENCH_NGINX may name it.");
}

function shown(value: number | null, digits: number): string {
  return value === null
    ? "-"
    : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function median(values: readonly number[]): number {
  return quantile([...values], 0.5);
}

function keyOf(target: Target, concurrency: number): string {
  return `${target.name}/${concurrency}`;
}

function numberAfter(flag: string, initial: number): number {
  return listAfter(flag, [initial])[0]!;
}

function listAfter(flag: string, initial: number[]): number[] {
  const index = args.indexOf(flag);
  if (index < 0) return initial;
  const text = args[index + 1] ?? "";
  const values = text.split(",").map(Number);
  if (values.every((value) => value > 0)) return values;
  throw new InputError(`${flag} ${text}: expected numbers above 0`);
}

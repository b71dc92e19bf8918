/**
 * `npm run soak [-- --minutes N] [-- --streams N]`: the proxy, in a process of its own, under concurrent streams of
 * which some are given up, before engines that fail in one request of 25; 30 minutes of 200 streams by itself. Fails
 * when a request is lost or served twice, when a leg stays in the ledger, or when memory or sockets grow.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Agent, request } from "undici";
import { randomStream } from "../src/values/random.js";
import { FaultyEngine } from "./soak/faulty-engine.js";
import { memoryGrowth, resourcesOf, type Resources } from "./soak/resources.js";

const PDBENCH = fileURLToPath(new URL("../bin/pdbench.js", import.meta.url));
const SAMPLES = 40;
const GIVEN_UP_SHARE = 0.05;
/** Connections to workers close after 4 s of silence. */
const SETTLE_MS = 8000;

const minutes = numberAfter("--minutes", 30);
const streams = numberAfter("--streams", 200);

const engines = await Promise.all([1, 2, 3, 4, 5].map((seed) => FaultyEngine.start(seed)));
const [prefill, decode] = [engines.slice(0, 2), engines.slice(2)];
const proxy = spawn(
  process.execPath,
  [
    // V8 lets a heap grow before it collects: with room for what is held and little more, resident memory shows what is.
    ...["--max-old-space-size=96", "--max-semi-space-size=4"],
    ...[PDBENCH, "proxy", "--port", "0", "--vllm-pd-disaggregation", "--log-level", "info"],
    // What cache_aware remembers is bounded, by default at a size that half an hour does not reach.
    ...["--max-tree-size", "500000", "--eviction-interval-secs", "10"],
    ...prefill.flatMap(({ url }) => ["--prefill", url, "none"]),
    ...decode.flatMap(({ url }) => ["--decode", url]),
  ],
  { stdio: ["ignore", "ignore", "pipe"] },
);
const url = await listening();
const agent = new Agent({ connections: streams, pipelining: 1 });
const tally = { completed: 0, failed: 0, given_up: 0, lost: 0 };
const complaints: string[] = [];
const samples: Resources[] = [];
await one(0, 2, null);
const before = resourcesOf(proxy.pid!);

const endsAtMs = performance.now() + minutes * 60_000;
let next = 1;
const sampler = setInterval(sample, (minutes * 60_000) / SAMPLES);
await Promise.all(Array.from({ length: streams }, lane));
clearInterval(sampler);
await agent.close();
await delay(SETTLE_MS);
await check();
proxy.kill("SIGTERM");
const [status] = (await once(proxy, "exit")) as [number | null];
if (status !== 0) complaints.push(`the proxy ended with status ${String(status)}`);
for (const engine of engines) engine.close();
console.log(
  JSON.stringify({
    minutes,
    streams,
    requests: next,
    ...tally,
    memory_mib: samples.map(({ rssMiB }) => Math.round(rssMiB)),
  }),
);
console.log(
  complaints.length === 0 ? "soak: nothing lost, nothing doubled, nothing grew" : complaints.join("\n"),
);
process.exitCode = complaints.length === 0 ? 0 : 1;

async function lane(): Promise<void> {
  while (performance.now() < endsAtMs) {
    const id = next++;
    const random = randomStream(id, "soak/client");
    const tokens = 4 + random.nextInt(60);
    await one(id, tokens, random.nextFloat() < GIVEN_UP_SHARE ? random.nextInt(tokens) : null);
  }
}

/** One stream. @param leavesAfter Chunks after which the client leaves, or null. */
async function one(id: number, tokens: number, leavesAfter: number | null): Promise<void> {
  const body = JSON.stringify({
    prompt: `request ${id} ${"x".repeat(id % 500)}`,
    max_tokens: tokens,
    stream: true,
  });
  let text = "";
  let chunks = 0;
  try {
    const response = await request(`${url}/v1/completions`, { method: "POST", body, dispatcher: agent });
    for await (const chunk of response.body) {
      text += String(chunk);
      if (chunks++ === leavesAfter) {
        tally.given_up++;
        return;
      }
    }
    if (response.statusCode >= 400 || text.includes('"error"')) tally.failed++;
    else if (isWhole(text, tokens)) tally.completed++;
    else lose(`request ${id}: an answer that is neither whole nor an error: ${text.slice(-200)}`);
  } catch (error) {
    lose(`request ${id}: ${String(error)} after ${text.length} bytes`);
  }
}

function isWhole(text: string, tokens: number): boolean {
  const got = [...text.matchAll(/ t(\d+)"/g)].map(([, index]) => Number(index));
  return text.endsWith("data: [DONE]\n\n") && got.length === tokens && got.every((index, i) => index === i);
}

function lose(complaint: string): void {
  tally.lost++;
  if (complaints.length < 20) complaints.push(complaint);
}

async function check(): Promise<void> {
  const served = new Map<number, number>();
  for (const { finished } of decode) {
    for (const [id, times] of finished) served.set(id, (served.get(id) ?? 0) + times);
  }
  for (const [id, times] of served) if (times > 1) complaints.push(`request ${id} was served ${times} times`);
  const loads = (await (await fetch(`${url}/loads`)).json()) as {
    workers: { worker: string; open_legs: number }[];
  };
  for (const { worker, open_legs: open } of loads.workers) {
    if (open !== 0) complaints.push(`${open} legs are still open on ${worker}`);
  }
  const after = resourcesOf(proxy.pid!);
  if (before === null || after === null) {
    complaints.push("memory and sockets cannot be looked at, expected /proc");
    return;
  }
  // The connection of the question above, and one that is about to close.
  if (after.descriptors > before.descriptors + 2) {
    complaints.push(`descriptors grew from ${before.descriptors} to ${after.descriptors}`);
  }
  const growth = memoryGrowth(samples);
  if (growth !== null) complaints.push(growth);
  if (tally.completed < tally.failed) complaints.push(`more requests failed than were completed`);
}

function sample(): void {
  const resources = resourcesOf(proxy.pid!);
  if (resources !== null) samples.push(resources);
}

async function listening(): Promise<string> {
  for await (const line of createInterface(proxy.stderr)) {
    const found = /listens on (\S+):/.exec(line)?.[1];
    if (found === undefined) continue;
    proxy.stderr.on("data", (bytes: Buffer) => process.stderr.write(bytes));
    return found;
  }
  throw new Error("the proxy ended before it listened");
}

function numberAfter(flag: string, initial: number): number {
  const index = process.argv.indexOf(flag);
  const value = index < 0 ? initial : Number(process.argv[index + 1]);
  if (value > 0) return value;
  throw new Error(`${flag}: expected a number above 0`);
}

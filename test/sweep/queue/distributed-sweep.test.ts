import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Queue } from "bullmq";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { profileYaml } from "../../../src/calibrate/profile-file.js";
import { builtinProfile } from "../../../src/engine/builtin-profile.js";
import { KEY_PREFIX, QUEUE } from "../../../src/sweep/queue/sweep-job.js";
import { BIN, type CliResult } from "../../cli/cli.js";
import { program } from "../../support/built.js";
import { describeWithPrograms, startRedis, type RedisServer } from "../../support/redis-server.js";

const RESULTS = ["sweep.json", "points.csv"];

// Several processes on two busy cores take their time.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });
afterAll(() => vi.resetConfig());

const folder = mkdtempSync(join(tmpdir(), "pdbench-test-"));
const place = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A pdbench process that goes on beside the test. */
interface Background {
  readonly process: ChildProcess;
  readonly stderr: () => string;
  readonly ended: Promise<CliResult>;
}

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Background {
  const child = spawn(process.execPath, [BIN, ...args], { env: { ...process.env, NO_COLOR: "1", ...env } });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, "close").then(([status]): CliResult => {
    running.delete(child);
    return { status: status as number | null, stdout, stderr };
  });
  return { process: child, stderr: () => stderr, ended };
}

function worker(url: string, cache: string, ...more: string[]): string[] {
  return ["worker", "--redis", url, "--threads", "1", "--cache", place(cache), ...more];
}

/** Waits until `holds` is true; looks at it often. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 120_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function linesOf(out: string): number {
  const log = join(out, "points.jsonl");
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0;
}

function expectSameBytes(out: string, local: string): void {
  for (const file of RESULTS) {
    expect(readFileSync(join(out, file), "utf8"), file).toBe(readFileSync(join(local, file), "utf8"));
  }
}

describeWithPrograms("a sweep over Redis", ["redis-server"], () => {
  let redis: RedisServer;
  const local = place("local");
  const profile = place("own-profile.yaml");
  const scenario = place("small.yaml");
  const sweep = ["sweep", scenario, "--seeds", "2"];
  const distributed = (url: string, out: string): string[] => {
    return [...sweep, "--executor", "bullmq", "--redis", url, "--out", out];
  };

  beforeAll(async () => {
    redis = await startRedis();
    const trace = place("trace.jsonl");
    await program(["trace", "generate", "--kind", "multi_turn_chat", "--requests", "700", "--out", trace]);
    writeFileSync(profile, profileYaml(builtinProfile("llama-3.1-8b-h100-tp1-bf16")));
    writeFileSync(
      scenario,
      `name: small
fleet: { profile: own-profile.yaml, prefill: { workers: 2 }, decode: { workers: 2 } }
workload: { trace: trace.jsonl, speedup: 2 }
slo: { ttft_ms: 1000 }
sweep:
  routing_threshold: [0, 500, 2000]
  policy: [random, cache_aware, round_robin]
  engine.num_gpu_blocks: [3000, 4]
`,
    );
    // Runs with 4 blocks cannot serve anything: failures are part of the result.
    expect(await program([...sweep, "--out", local])).toMatchObject({ status: 1 });
  });
  afterAll(() => redis.stop());

  it("has the bytes of the local one though a worker and the coordinator are killed", async () => {
    const out = place("killed");
    const first = start(distributed(redis.url, out));
    await until("the jobs are in the queue", async () => (await redis.client.llen("pdbench:sweep:wait")) > 0);
    // The profile travels: workers need no file for it.
    const text = readFileSync(profile, "utf8");
    rmSync(profile);
    const workers = ["cache-a", "cache-b"].map((cache) =>
      start(worker(redis.url, cache, "--stalled-after", "2")),
    );
    await until("some runs are done", () => linesOf(out) > 3);
    workers[0]!.process.kill("SIGKILL");
    await until("more runs are done", () => linesOf(out) > 6);
    first.process.kill("SIGKILL");
    expect((await first.ended).status).toBe(null);
    expect(existsSync(join(out, "sweep.json"))).toBe(false);

    writeFileSync(profile, text);
    const second = await start(distributed(redis.url, out)).ended;
    expect(second.stderr).toContain("18 of 36 runs failed, the first: workload: request");
    expect(second.status).toBe(1);
    expectSameBytes(out, local);
    // Trace and profile came once.
    const fetched = workers[1]!.stderr().match(/content \w+ fetched, [\d.]+ MB/g) ?? [];
    expect(fetched).toHaveLength(2);
    await until("nothing of the sweep is left in Redis", async () => {
      const keys = await redis.client.keys("pdbench:*");
      return !keys.some((key) => /results|sweep:[0-9a-f]{32}/.test(key));
    });

    const idle = await program(worker(redis.url, "cache-b", "--idle-exit", "0.5"));
    expect(idle).toMatchObject({ status: 0 });
    expect(idle.stderr).toContain("no run for 0.5 s; 0 done");
    workers[1]!.process.kill("SIGTERM");
    const ended = await workers[1]!.ended;
    expect(ended.status).toBe(130);
    expect(ended.stderr).toMatch(/interrupted after \d+ runs; none is lost/);
  });

  describe("with one worker", () => {
    let only: Background;
    beforeAll(() => {
      only = start(worker(redis.url, "cache-c"));
      // It outlives a test.
      running.delete(only.process);
    });
    afterAll(async () => {
      only.process.kill("SIGTERM");
      await only.ended;
    });

    it("goes on when the server loses its memory, and by the same command after an interruption", async () => {
      const out = place("flushed");
      const first = start(distributed(redis.url, out));
      await until("some runs are done", () => linesOf(out) > 3);
      await redis.restart();
      const atRestart = linesOf(out);
      await until("runs are done after the restart", () => linesOf(out) > atRestart + 1);
      first.process.kill("SIGINT");
      const { status, stderr } = await first.ended;
      expect(stderr).toMatch(/connection to redis:\/\/127.0.0.1:\d+ is lost, trying again/);
      expect(stderr).toMatch(/interrupted: \d+ of 36 runs are done; they are in/);
      expect(status).toBe(130);
      await program(distributed(redis.url, out));
      expectSameBytes(out, local);
    });

    it("serves a search as well, round by round", async () => {
      const search = [
        "optimize",
        "quickstart",
        "--requests",
        "200",
        "--seeds",
        "1",
        "--min-requests",
        "60",
        "--json",
      ];
      const found = await program([...search, "--executor", "bullmq", "--redis", redis.url]);
      expect(found.stderr).toMatch(/rung 2 of \d: \d+\/\d+ runs/);
      expect(found.stdout).toBe((await program([...search, "--workers", "1"])).stdout);
    });
  });

  it("is not for workers of another version, which leave the job to others", async () => {
    const queue = new Queue(QUEUE, { connection: { url: redis.url }, prefix: KEY_PREFIX });
    const job = { schema: "pdbench/sweep-job@1", version: "9.9.9", study: "0123456789abcdef" };
    await queue.add("run", job, { jobId: "of-another-version" });
    const { status, stderr } = await program(worker(redis.url, "cache-f"));
    expect(stderr).toMatch(/the queue holds jobs of pdbench 9\.9\.9 .* and this worker is pdbench \d/);
    expect(status).toBe(1);
    expect(await program(["worker"])).toMatchObject({ status: 2 });
    expect(await queue.getWaiting()).toMatchObject([{ id: "of-another-version", attemptsMade: 0 }]);
    await queue.obliterate({ force: true });
    await queue.close();
  });
});

describeWithPrograms(
  "a sweep over Redis with TLS and a user of few rights",
  ["redis-server", "openssl"],
  () => {
    it("needs no more than the keys of pdbench, and prints no password", async () => {
      const { key, certificate } = makeCertificate();
      const redis = await startRedis([
        ...["--tls-port", "PORT", "--tls-cert-file", certificate, "--tls-key-file", key],
        ...["--tls-ca-cert-file", certificate, "--tls-auth-clients", "no"],
        ...["--user", "default", "off"],
        ...["--user", "pdbench", "on", ">s3cret", ...RIGHTS.split(" ")],
      ]);
      const env = { NODE_EXTRA_CA_CERTS: certificate };
      const url = (password: string): string => `rediss://pdbench:${password}@localhost:${redis.port}`;
      const args = ["sweep", "quickstart", "--requests", "50", "--policy", "random", "--seeds", "1"];
      const command = (password: string): string[] => [
        ...args,
        "--executor",
        "bullmq",
        "--redis",
        url(password),
      ];
      try {
        const remote = start(["worker", "--threads", "1", "--cache", place("cache-tls")], {
          ...env,
          PDBENCH_REDIS_URL: url("s3cret"),
        });
        const out = place("tls");
        const { status, stderr } = await start([...command("s3cret"), "--out", out], env).ended;
        expect(stderr).toContain("5/5 runs");
        expect(status).toBe(0);
        await program([...args, "--workers", "1", "--out", place("tls-local")]);
        expectSameBytes(out, place("tls-local"));
        remote.process.kill("SIGTERM");
        expect(stderr + (await remote.ended).stderr).not.toContain("s3cret");

        const refused = await start(command("wr0ng"), env).ended;
        expect(refused.status).toBe(2);
        expect(refused.stderr).toContain(
          `rediss://pdbench:***@localhost:${redis.port}: the server refuses the login`,
        );
        expect(refused.stderr).not.toContain("wr0ng");
      } finally {
        await redis.stop();
      }
    });
  },
);

/** As docs/sweeps.md gives them. */
const RIGHTS = "~pdbench:* &pdbench:* +@all -@admin -@dangerous +info +client|list";

/** A certificate for localhost, signed by itself. */
function makeCertificate(): { readonly key: string; readonly certificate: string } {
  const key = place("redis.key");
  const certificate = place("redis.crt");
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  execFileSync(
    "openssl",
    [...args, "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
    {
      stdio: "ignore",
    },
  );
  return { key, certificate };
}

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, it } from "vitest";

/** A group of tests that need programs of the system; skipped where they are absent, failing under `PDBENCH_REQUIRE_ALL=1`. */
export function describeWithPrograms(name: string, programs: readonly string[], body: () => void): void {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) {
    describe(name, body);
  } else if (process.env["PDBENCH_REQUIRE_ALL"] === "1") {
    describe(name, () => {
      it(`finds ${programs.join(" and ")}`, () => {
        throw new Error(`PDBENCH_REQUIRE_ALL=1, but ${missing.join(" and ")} is missing`);
      });
    });
  } else {
    describe.skip(`${name} (skipped: ${missing.join(" and ")} is not installed)`, body);
  }
}

function isInstalled(program: string): boolean {
  try {
    execFileSync("which", [program], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A Redis server of the test's own: on loopback, in a folder of its own, gone after `stop`. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** For a look at what is in it. */
  readonly client: Redis;
  /** Kills the server and starts it again, empty, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** @param settings further arguments of `redis-server`; `PORT` in them stands for its port */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "pdbench-redis-"));
  const port = await freePort();
  const tls = settings.includes("--tls-port");
  const args = [
    ...(tls ? ["--port", "0"] : ["--port", String(port)]),
    ...["--bind", "127.0.0.1", "--dir", folder, "--save", ""],
    ...settings.map((setting) => (setting === "PORT" ? String(port) : setting)),
  ];
  let server = await launchRedis("redis-server", args);
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { maxRetriesPerRequest: null, lazyConnect: true });
  client.on("error", () => undefined);
  const kill = async (): Promise<void> => {
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
  };
  return {
    port,
    url,
    client,
    async restart() {
      await kill();
      server = await launchRedis("redis-server", args);
    },
    async stop() {
      client.disconnect();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a server by a command that runs it, and waits until it says that it accepts connections. */
export async function launchRedis(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ChildProcess> {
  const server = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  let log = "";
  await new Promise<void>((resolve, reject) => {
    server.stdout.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes("Ready to accept connections")) resolve();
    });
    server.once("exit", () => reject(new Error(`redis-server ended:\n${log}`)));
  });
  return server;
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

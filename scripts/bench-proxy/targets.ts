import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Something that answers requests, and the process whose CPU time is its own. */
export interface Target {
  readonly name: string;
  readonly url: string;
  /** Null: its CPU time is not looked at. */
  readonly pid: number | null;
}

/** The proxy as nginx' equal, with a prefix index, and with both legs. */
const PROXIES = [
  ["proxy", "never", "round_robin"],
  ["proxy, cache_aware", "never", "cache_aware"],
  ["proxy, prefill + decode", "always", "round_robin"],
] as const;

const ENGINE = "trivial-engine.ts";

const children: ChildProcess[] = [];

/**
 * Where there are two cores and `taskset`, whoever is measured has the first core, and the engine and this
 * process, which makes the load, share the second: the same for nginx and for the proxy.
 */
const PINS = cpus().length >= 2 && spawnSync("taskset", ["-V"]).status === 0;

/** Starts engine, proxies and, where it is installed, nginx. */
export async function startTargets(): Promise<Target[]> {
  if (PINS) spawnSync("taskset", ["-a", "-p", "-c", "1", String(process.pid)]);
  const engine = await startNode(ENGINE, [], /^(\d+)$/);
  const engineUrl = `http://127.0.0.1:${engine.match}`;
  const targets: Target[] = [{ name: "direct", url: engineUrl, pid: null }];
  const nginx = await startNginx(Number(engine.match));
  if (nginx !== null) targets.push(nginx);
  for (const [name, decider, policy] of PROXIES) {
    const { match, pid } = await startNode("proxy-process.ts", [engineUrl, decider, policy], /^(http:\S+)$/);
    targets.push({ name, url: match, pid });
  }
  return targets;
}

export async function stopTargets(): Promise<void> {
  await Promise.all(
    children.map((child) => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      return exited;
    }),
  );
}

/** The command line that runs a program on one core, where that can be asked for. */
function pinned(core: number, program: string, args: readonly string[]): [string, string[]] {
  return PINS ? ["taskset", ["-c", String(core), program, ...args]] : [program, [...args]];
}

async function startNode(
  script: string,
  args: readonly string[],
  line: RegExp,
): Promise<{ match: string; pid: number }> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const core = script === ENGINE ? 1 : 0;
  const child = spawn(...pinned(core, process.execPath, ["--import", "tsx", path, ...args]), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  for await (const text of createInterface({ input: child.stdout })) {
    const match = line.exec(text)?.[1];
    if (match !== undefined) return { match, pid: child.pid! };
  }
  throw new Error(`${script} ended before it was ready`);
}

/** One worker process, streaming, connections to the engine kept: what a careful operator would set. */
async function startNginx(enginePort: number): Promise<Target | null> {
  const binary = process.env["PDBENCH_NGINX"] ?? "nginx";
  if (spawnSync(binary, ["-v"]).status !== 0) return null;
  const folder = mkdtempSync(join(tmpdir(), "pdbench-nginx-"));
  const port = 20_000 + (process.pid % 20_000);
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  keepalive_requests 1000000;
  upstream engine { server 127.0.0.1:${enginePort}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://engine; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
  }
}
`,
  );
  const child = spawn(...pinned(0, binary, ["-c", join(folder, "nginx.conf")]), {
    stdio: ["ignore", "ignore", "inherit"],
  });
  children.push(child);
  const url = `http://127.0.0.1:${port}`;
  await answers(url);
  const worker = readFileSync(`/proc/${child.pid!}/task/${child.pid!}/children`, "utf8")
    .trim()
    .split(" ")[0]!;
  return { name: "nginx", url, pid: Number(worker) };
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await (await fetch(url, { method: "POST", body: "{}" })).arrayBuffer();
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

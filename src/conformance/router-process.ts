import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { InputError } from "../errors.js";
import type { KitEngine } from "./kit-engine.js";

const OUTPUT_KEPT = 4000;
const TERMINATION_MS = 10_000;

/** A router that the kit has started. */
export interface RouterProcess {
  readonly url: string;
  /** The end of what it wrote, for when it does not serve. */
  output(): string;
  /** True when it has ended by itself. */
  hasEnded(): boolean;
  /** Ends it with all it has started. */
  stop(): Promise<void>;
}

/**
 * Starts a router by a shell command in which `{port}`, `{prefill}`, `{decode}` and their kin stand for
 * where it is to listen and where the engines are.
 *
 * @throws InputError for a placeholder that does not exist, or when `{port}` is missing
 */
export async function startRouter(command: string, engines: readonly KitEngine[]): Promise<RouterProcess> {
  if (!command.includes("{port}")) {
    throw new InputError(`--command: no {port} in it, expected the port the router is to listen on`);
  }
  const port = await freePort();
  const text = filledIn(command, engines, port);
  // A group of its own, so that what the shell starts ends with it.
  const child = spawn("/bin/sh", ["-c", text], { detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_KEPT);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    url: `http://127.0.0.1:${port}`,
    output: () => output,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    stop: () => stop(child, ended),
  };
}

/** The command with its placeholders replaced. @throws InputError for one that does not exist */
export function filledIn(command: string, engines: readonly KitEngine[], port: number): string {
  const values = placeholders(engines, port);
  return command.replaceAll(/\{((?:port|prefill|decode)[\w,.]*)\}/g, (whole, name: string) => {
    const value = values.get(name);
    if (value !== undefined) return value;
    throw new InputError(
      `--command: ${whole} is not known, expected one of {${[...values.keys()].join("}, {")}}`,
    );
  });
}

function placeholders(engines: readonly KitEngine[], port: number): ReadonlyMap<string, string> {
  const values = new Map([["port", String(port)]]);
  for (const role of ["prefill", "decode"] as const) {
    const urls = engines.filter((engine) => engine.role === role).map(({ url }) => url);
    values.set(role, urls.join(" "));
    values.set(`${role},`, urls.join(","));
    urls.forEach((url, i) => {
      values.set(`${role}${i}`, url);
      values.set(`${role}${i}.port`, new URL(url).port);
    });
  }
  return values;
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      // The group is gone already.
    }
  };
  signal("SIGTERM");
  const timer = setTimeout(() => signal("SIGKILL"), TERMINATION_MS);
  await ended;
  clearTimeout(timer);
}

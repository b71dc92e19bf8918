import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { proxyCommand } from "../../src/cli/proxy.js";
import type { ProxyOptions } from "../../src/proxy/proxy-options.js";
import { BIN } from "../cli/cli.js";
import { post } from "./support/fleet.js";
import { ScriptedEngine } from "./support/scripted-engine.js";

function run(...args: string[]): Promise<unknown> {
  const command = proxyCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parseAsync(args, { from: "user" });
}

describe("pdbench proxy", () => {
  it.each([
    [["--decode", "http://d:1", "--retry-jitter-factor", "1.5"], /expected a share from 0 to 1/],
    [
      ["--decode", "http://d:1", "--disable-circuit-breaker", "--cb-failure-threshold", "3"],
      /--cb-failure-threshold has no effect with --disable-circuit-breaker/,
    ],
    [["--decode", "http://d:1", "--health-check-interval-secs", "0"], /expected a number above 0/],
    [["--decode", "http://d:1", "--health-check-endpoint", "health"], /expected a path such as \/health/],
    [["--decode", "http://d:1", "--kv-connector", "moriio"], /moriio is not supported: it needs ZMQ/],
    [
      ["--decode", "http://d:1", "--kv-connector", "nixl", "--disagg-connector-type", "lmcache"],
      /expected one of them/,
    ],
    [
      ["--decode", "http://d:1", "--service-discovery", "k8s"],
      /--service-discovery: k8s is not supported, expected static: .*--decode-dns/,
    ],
    [["--decode", "http://d:1", "--backend", "openai"], /expected vllm/],
    [["--decode", "http://d:1", "--policy", "cache_awar"], /cache_aware/],
    [["--decode", "http://d:1", "--port", "x"], /--port: got x, expected a port from 1 to 65535/],
    [["--decode", "http://d:1", "--no-such-flag"], /unknown option/],
    [["--prefill", "http://p:1"], /no decode worker/],
    [["--decode", "http://d:1", "--disagg-connector-type", "lmcache"], /no receiver for http:\/\/d:1/],
  ])("%j fails with a reason", async (args, message) => {
    await expect(run(...args)).rejects.toThrow(message);
  });

  it("serves until it is told to end", { timeout: 180_000 }, async () => {
    const engines = await Promise.all([ScriptedEngine.start(), ScriptedEngine.start()]);
    const [prefill, decode] = engines;
    const child = pdbenchProxy(
      ...["--vllm-pd-disaggregation", "--prefill", prefill.url, "none", "--decode", decode.url],
      ...["--policy", "cache_aware", "--host", "127.0.0.1", "--port", "0"],
    );
    const url = await listeningAt(child);
    expect((await post(`${url}/v1/completions`, { prompt: "x" })).status).toBe(200);
    expect(prefill.seen).toHaveLength(1);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    await Promise.all(engines.map((engine) => engine.close()));
  });
});

describe("a proxy whose workers do not answer", () => {
  it("ends after the start-up timeout, as vllm-router does", async () => {
    const told = run(
      ...["--decode", "http://127.0.0.1:1", "--port", "0", "--log-level", "critical"],
      ...["--worker-startup-timeout-secs", "0.3"],
    );
    await expect(told).rejects.toThrow(
      "no worker has answered a health check within 0.3 s (--worker-startup-timeout-secs)",
    );
  });

  it.each([
    ["--worker-urls http://a:1", 600_000],
    ["--decode http://a:1 --worker-startup-timeout-secs 5", 5000],
    ["--decode http://a:1 --disable-health-checks", undefined],
    ["--static-backends http://a:1 --routing-logic roundrobin", undefined],
    ["--static-backends http://a:1 --routing-logic roundrobin --worker-startup-timeout-secs 5", 5000],
  ])("has for it, and for ever with production-stack's flags: %s", async (line, startupTimeoutMs) => {
    let options: ProxyOptions | undefined;
    await proxyCommand((read) => {
      options = read;
      return Promise.resolve();
    }).parseAsync(line.split(" "), { from: "user" });
    expect(options!.startupTimeoutMs).toBe(startupTimeoutMs);
  });
});

/** Runs the built command in a process of its own. */
function pdbenchProxy(...args: string[]): ChildProcess {
  return spawn(process.execPath, [BIN, "proxy", ...args], { stdio: ["ignore", "inherit", "pipe"] });
}

async function listeningAt(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stderr! })) {
    const url = /listens on (\S+):/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error("the proxy ended before it listened");
}

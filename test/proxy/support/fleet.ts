import { expect, onTestFinished } from "vitest";
import { DEFAULT_RESILIENCE } from "../../../src/proxy/resilience.js";
import type { ProxyOptions } from "../../../src/proxy/proxy-options.js";
import { startProxy, type RunningProxy } from "../../../src/proxy/server.js";
import { parseWorkerUrl } from "../../../src/proxy/worker-url.js";
import { resolveRouterConfig } from "../../../src/routing/router-config.js";
import { ScriptedEngine } from "./scripted-engine.js";

/** A proxy in front of scripted engines. */
export interface Fleet {
  readonly prefill: readonly ScriptedEngine[];
  readonly decode: readonly ScriptedEngine[];
  readonly proxy: RunningProxy;
  readonly url: string;
}

export interface FleetOptions {
  readonly prefill?: number;
  readonly decode?: number;
  /** The `router` block. */
  readonly router?: Record<string, unknown>;
  readonly options?: Partial<ProxyOptions>;
}

/** Starts engines and a proxy; both are closed after the test, which fails if a leg is still open then, or of a defect. */
export async function startFleet({
  prefill = 1,
  decode = 1,
  router = {},
  options = {},
}: FleetOptions = {}): Promise<Fleet> {
  const start = (count: number) => Promise.all(Array.from({ length: count }, () => ScriptedEngine.start()));
  const engines = { prefill: await start(prefill), decode: await start(decode) };
  const defects: unknown[] = [];
  const proxy = await startProxy({
    ...proxyOptions(engines.prefill, engines.decode, router),
    onDefect: (error) => defects.push(error),
    ...options,
  });
  onTestFinished(async () => {
    const isIdle = proxy.router.isIdle();
    await proxy.close();
    await Promise.all([...engines.prefill, ...engines.decode].map((engine) => engine.close()));
    expect(defects).toEqual([]);
    expect(isIdle, "every leg has ended").toBe(true);
  });
  return { ...engines, proxy, url: proxy.url };
}

export function proxyOptions(
  prefill: readonly ScriptedEngine[],
  decode: readonly ScriptedEngine[],
  router: Record<string, unknown> = {},
): ProxyOptions {
  return {
    host: "127.0.0.1",
    port: 0,
    prefill: prefill.map(({ url }) => parseWorkerUrl(url)),
    decode: decode.map(({ url }) => parseWorkerUrl(url)),
    router: resolveRouterConfig(router).config,
    seed: 1,
    connector: { connector: "nixl", remoteHost: "as_reported", decoders: {} },
    maxPayloadBytes: 1 << 20,
    engineStatsIntervalMs: 1000,
    // What a worker does is seen as it is; those who test how the proxy makes up for it switch that on.
    resilience: { ...DEFAULT_RESILIENCE, health: null, breaker: null, retries: null },
    // Thrown where nobody catches it, it fails the run of all tests.
    onDefect: (error) =>
      queueMicrotask(() => {
        throw error;
      }),
  };
}

export function post(
  url: string,
  body: object | string,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Waits for something that happens a moment after what a test can see, such as a socket's close. */
export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`never came true: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

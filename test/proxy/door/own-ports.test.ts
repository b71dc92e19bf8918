import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { OPEN_DOOR } from "../../../src/proxy/door/door.js";
import { TargetRules } from "../../../src/proxy/door/target-rules.js";
import { startProxy } from "../../../src/proxy/server.js";
import { proxyOptions, startFleet } from "../support/fleet.js";
import { ScriptedEngine } from "../support/scripted-engine.js";

const ANY = { host: "127.0.0.1", port: 0 };
const ADMIN = ["/workers", "/list_workers", "/loads", "/dashboard", "/dashboard/state", "/debug/decisions"];

const statusOf = async (url: string) => {
  const response = await fetch(url);
  await response.text();
  return response.status;
};
const statuses = (url: string, paths: readonly string[]) =>
  Promise.all(paths.map((path) => statusOf(`${url}${path}`)));

describe("routes of the proxy's own", () => {
  it("are on the clients' port where they have none", async () => {
    const { url, proxy } = await startFleet();
    expect(proxy.ownUrls).toEqual({ admin: null, metrics: null });
    expect(new Set(await statuses(url, [...ADMIN, "/metrics", "/health"]))).toEqual(new Set([200]));
  });

  it("are on no other port where they have one, and never go to a worker", async () => {
    const { url, proxy, decode } = await startFleet({ options: { ports: { admin: ANY, metrics: ANY } } });
    const { admin, metrics } = proxy.ownUrls;
    expect(new Set(await statuses(admin!, ADMIN))).toEqual(new Set([200]));
    expect(new Set(await statuses(url, [...ADMIN, "/metrics"]))).toEqual(new Set([404]));
    expect(await statuses(admin!, ["/metrics", "/v1/models", "/health"])).toEqual([404, 404, 200]);
    expect(await statuses(metrics!, ["/metrics", "/workers", "/readiness"])).toEqual([200, 404, 200]);
    const added = await fetch(`${url}/add_worker?url=http://127.0.0.1:1`, { method: "POST" });
    expect(added.status).toBe(404);
    const generation = await fetch(`${admin!}/v1/completions`, { method: "POST", body: '{"prompt":"x"}' });
    expect(generation.status).toBe(404);
    // The dashboard's own look at the engine carries no request id.
    expect(decode[0]!.seen.filter(({ headers }) => "x-request-id" in headers)).toEqual([]);
  });

  it("ask for the key, but for metrics on their own port", async () => {
    const ports = { admin: ANY, metrics: ANY };
    const { proxy } = await startFleet({ options: { ports, door: { ...OPEN_DOOR, apiKey: "k" } } });
    expect(await statusOf(`${proxy.ownUrls.admin!}/workers`)).toBe(401);
    expect(await statusOf(`${proxy.ownUrls.metrics!}/metrics`)).toBe(200);
  });

  it("take no worker that no rule lets pass", async () => {
    const targets = new TargetRules(["10.0.0.0/8"]);
    const { url, proxy } = await startFleet({ options: { targets } });
    const add = (worker: string) =>
      fetch(`${url}/add_worker?url=${worker}&worker_type=decode`, { method: "POST" });
    const response = await add("http://127.0.0.1:1");
    expect([response.status, await response.text()]).toEqual([
      400,
      "http://127.0.0.1:1 is not allowed as a worker, expected one of 10.0.0.0/8 (--allow-worker)",
    ]);
    expect(await (await fetch(`${proxy.url}/list_workers`)).text()).not.toContain('127.0.0.1:1"');
  });

  it("leave nothing behind when one of their ports is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const engine = await ScriptedEngine.start();
    const options = proxyOptions([], [engine]);
    const ports = { admin: ANY, metrics: { ...ANY, port } };
    await expect(startProxy({ ...options, ports })).rejects.toThrow(`cannot listen on 127.0.0.1:${port}`);
    await expect(startProxy({ ...options, port, ports: { admin: ANY, metrics: null } })).rejects.toThrow(
      "EADDRINUSE",
    );
    await engine.close();
    taken.close();
    await once(taken, "close");
  });
});

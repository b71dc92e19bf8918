import { describe, expect, it } from "vitest";
import { DEFAULT_RESILIENCE } from "../../../src/proxy/resilience.js";
import { post, until } from "../support/fleet.js";
import { Gate, likeVllm, ScriptedEngine, type Script } from "../support/scripted-engine.js";
import { complete, expectAllOver, RESILIENCE, startFaulty, STREAM } from "./faulty-fleet.js";

const NEVER = { decider: "never" };

const heldBy =
  (gate: Gate): Script =>
  async (request, res) => {
    await gate.opened;
    await likeVllm(request, res);
  };

describe("a fleet", () => {
  it("that is down altogether and comes back fails requests at once, and then serves them", async () => {
    const health = { ...DEFAULT_RESILIENCE.health!, intervalMs: 1000, successThreshold: 1 };
    const resilience = { ...RESILIENCE, health };
    const fleet = await startFaulty({ router: NEVER, prefill: 0, options: { resilience } });
    const ports = fleet.decode.map(({ url }) => Number(new URL(url).port));
    expect(await complete(fleet)).toBe("complete");
    await Promise.all(fleet.decode.map((engine) => engine.close()));
    const outcomes = [];
    for (let i = 0; i < 8; i++) outcomes.push(await complete(fleet));
    expect(outcomes.every((outcome) => outcome === 502 || outcome === 503)).toBe(true);
    expect(outcomes.at(-1)).toBe(503);
    const back = await Promise.all(ports.map((port) => ScriptedEngine.start(port)));
    while ((await fetch(`${fleet.url}/readiness`)).status !== 200) fleet.timers.pass(500);
    expect(await complete(fleet)).toBe("complete");
    await expectAllOver(fleet);
    await Promise.all(back.map((engine) => engine.close()));
  });

  it("that is drained under load ends every stream, and the worker that leaves gets nothing more", async () => {
    const fleet = await startFaulty({
      router: NEVER,
      prefill: 0,
      options: { resilience: { ...RESILIENCE, limits: DEFAULT_RESILIENCE.limits } },
    });
    const gate = new Gate();
    for (const engine of fleet.decode) engine.script = heldBy(gate);
    const before = Array.from({ length: 12 }, () => complete(fleet));
    await until(() => fleet.decode.every(({ open }) => open === 6));
    const [leaving, staying] = fleet.decode;
    expect((await post(`${fleet.url}/remove_worker?url=${leaving!.url}`, "")).status).toBe(200);
    const after = Array.from({ length: 6 }, () => complete(fleet));
    await until(() => staying!.open === 12);
    gate.open();
    for (const outcome of await Promise.all([...before, ...after])) expect(outcome).toBe("complete");
    expect(leaving!.seen).toHaveLength(6);
    await until(() => leaving!.sockets.size === 0);
    await expectAllOver(fleet);
  });

  it.each(["by hand", "by DNS"])(
    "that lets a worker go %s cuts, after its time, the streams it still has, and moves what has not begun",
    async (way) => {
      const engines = [await ScriptedEngine.start()];
      const port = Number(new URL(engines[0]!.url).port);
      engines.push(await ScriptedEngine.start(port, "127.0.0.2"));
      let addresses = ["127.0.0.1"];
      const dns = [{ leg: "decode", host: "decode.svc", port }] as const;
      const sources = { file: null, dns, dnsIntervalMs: 1000, resolve: () => Promise.resolve(addresses) };
      const retries = { ...DEFAULT_RESILIENCE.retries!, initialBackoffMs: 1 };
      const resilience = { ...RESILIENCE, retries, workerDrainMs: 5000, limits: DEFAULT_RESILIENCE.limits };
      const fleet = await startFaulty({
        router: NEVER,
        ...{ prefill: 0, decode: 0 },
        options: { sources, resilience },
      });
      const [leaving, staying] = engines;
      const silent = leaving!.next();
      leaving!.script = () => undefined;
      const unbegun = post(`${fleet.url}/v1/completions`, STREAM);
      await silent;
      leaving!.script = (_, res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write('data: {"choices":[{"text":" t0"}]}\n\n');
      };
      const stream = await post(`${fleet.url}/v1/completions`, STREAM);
      const text = stream.text();
      addresses = ["127.0.0.1", "127.0.0.2"];
      const list = async () =>
        ((await (await fetch(`${fleet.url}/list_workers`)).json()) as { urls: string[] }).urls;
      const ready = async () =>
        (await fetch(`${fleet.url}/readiness`)).json() as Promise<{ healthy_workers: number }>;
      while ((await list()).length < 2 || (await ready()).healthy_workers < 2) fleet.timers.pass(100);
      addresses = ["127.0.0.2"];
      if (way === "by hand") await post(`${fleet.url}/remove_worker?url=${leaving!.url}`, "");
      while ((await list()).length > 1) fleet.timers.pass(100);
      fleet.timers.pass(4500);
      expect(leaving!.open).toBe(2);
      const opened = leaving!.seen.map(({ aborted }) => aborted);
      fleet.timers.pass(1000);
      await Promise.all(opened);
      expect(await text).toMatch(
        /t0.*\n\ndata: \{"error":\{"message":"the decode worker was removed while it answered.*"code":503\}\}\n\n$/s,
      );
      while (staying!.seen.length === 0) {
        fleet.timers.pass(100);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await (await unbegun).text()).toContain("[DONE]");
      await until(() => leaving!.sockets.size === 0);
      await expectAllOver(fleet);
      await Promise.all(engines.map((engine) => engine.close()));
    },
  );

  it("that moves to another address ends streams where they are, and sends new ones there", async () => {
    const old = await ScriptedEngine.start();
    const port = Number(new URL(old.url).port);
    const next = await ScriptedEngine.start(port, "127.0.0.2");
    let addresses = ["127.0.0.1"];
    const dns = [{ leg: "decode", host: "decode.svc", port }] as const;
    const resolve = () => Promise.resolve(addresses);
    const sources = { file: null, dns, dnsIntervalMs: 1000, resolve };
    const resilience = { ...RESILIENCE, limits: DEFAULT_RESILIENCE.limits };
    const fleet = await startFaulty({
      router: NEVER,
      ...{ prefill: 0, decode: 0 },
      options: { sources, resilience },
    });
    const gate = new Gate();
    old.script = heldBy(gate);
    const arrived = old.next();
    const stream = post(`${fleet.url}/v1/completions`, STREAM);
    await arrived;
    addresses = ["127.0.0.2"];
    const urls = async () =>
      ((await (await fetch(`${fleet.url}/list_workers`)).json()) as { urls: string[] }).urls;
    while ((await urls()).join() !== next.url) fleet.timers.pass(500);
    expect(await complete(fleet)).toBe("complete");
    gate.open();
    expect(await (await stream).text()).toContain("[DONE]");
    expect([old.seen.length, next.seen.length]).toEqual([1, 1]);
    await expectAllOver(fleet);
    await Promise.all([old.close(), next.close()]);
  });
});

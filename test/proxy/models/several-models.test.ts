import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { startMockEngines, type MockFleet } from "../../../mock-engines/start-mock-engines.js";
import { OPEN_DOOR } from "../../../src/proxy/door/door.js";
import { replayEventLog } from "../../../src/proxy/event-log-replay.js";
import { DEFAULT_RESILIENCE } from "../../../src/proxy/resilience.js";
import { startProxy, type RunningProxy } from "../../../src/proxy/server.js";
import { parseWorkerUrl } from "../../../src/proxy/worker-url.js";
import { post, proxyOptions, startFleet, until, type Fleet } from "../support/fleet.js";
import { ScriptedEngine, sendJson } from "../support/scripted-engine.js";

const NEVER = { decider: "never", policy: "round_robin" };
const extra: ScriptedEngine[] = [];
const closing: (RunningProxy | MockFleet)[] = [];

afterEach(async () => {
  await Promise.all(extra.splice(0).map((engine) => engine.close()));
  for (const running of closing.splice(0)) await running.close();
});

/** One engine of each name, behind a proxy that is told so; `prefill:NAME` are prefill workers. */
async function fleetOf(
  names: readonly string[],
  router: Record<string, unknown>,
  eventLog?: string,
): Promise<{ fleet: Fleet; engines: Readonly<Record<string, ScriptedEngine>> }> {
  const engines: Record<string, ScriptedEngine> = {};
  for (const name of names) extra.push((engines[name] = await ScriptedEngine.start()));
  const urlOf = (name: string) =>
    parseWorkerUrl(engines[name]!.url, { model: name.replace("prefill:", "").replace(/\d$/, "") });
  const isPrefill = (name: string) => name.startsWith("prefill:");
  const fleet = await startFleet({
    prefill: 0,
    decode: 0,
    router,
    options: {
      prefill: names.filter(isPrefill).map(urlOf),
      decode: names.filter((name) => !isPrefill(name)).map(urlOf),
      aliases: new Map([["gpt4", "b"]]),
      ...(eventLog !== undefined && { eventLog }),
    },
  });
  return { fleet, engines };
}

const complete = async ({ url }: Fleet, body: object, path = "/v1/completions") => {
  const response = await post(`${url}${path}`, body);
  return { status: response.status, text: await response.text() };
};

describe("a proxy before workers of several models", () => {
  it("takes turns among the workers of a request's model, on every route", async () => {
    const { fleet, engines } = await fleetOf(["a1", "a2", "b1"], NEVER);
    for (let i = 0; i < 4; i++) await complete(fleet, { model: "a", prompt: "hi", max_tokens: 1 });
    await complete(fleet, { model: "b", prompt: "hi", max_tokens: 1 });
    await complete(fleet, { model: "b", input: "hi" }, "/v1/embeddings");
    await complete(fleet, { model: "a", messages: [], max_tokens: 1, stream: true }, "/v1/chat/completions");
    const seen = Object.values(engines).map((engine) => engine.seen.map(({ url }) => url));
    expect(seen.map(({ length }) => length)).toEqual([3, 2, 2]);
    expect(seen[2]).toEqual(["/v1/completions", "/v1/embeddings"]);
  });

  it("keeps both legs of a request, and the retries of each, among them", async () => {
    const { fleet, engines } = await fleetOf(["prefill:a", "prefill:b1", "prefill:b2", "a", "b1", "b2"], {
      decider: "always",
      policy: "round_robin",
    });
    const bodies = await complete(fleet, { model: "b", prompt: "hello", max_tokens: 2 });
    expect(bodies.status).toBe(200);
    const count = (name: string) => engines[name]!.seen.length;
    expect(count("prefill:a") + count("a")).toBe(0);
    expect(count("prefill:b1") + count("prefill:b2")).toBe(1);
    expect(count("b1") + count("b2")).toBe(1);
  });

  it("sends an alias on as the model's name, and every other byte as it came", async () => {
    const { fleet, engines } = await fleetOf(["a", "b"], NEVER);
    const body = '{ "seed":9223372036854775807,"model" : "gpt4" ,"prompt":"hi","2":1,"1":2, "max_tokens":1}';
    expect((await post(`${fleet.url}/v1/completions`, body)).status).toBe(200);
    expect(engines["b"]!.bodies).toEqual([body.replace('"gpt4"', '"b"')]);
  });

  it.each([
    [{ model: "c", prompt: "hi" }, 404, "Model 'c' not found. Available models can be listed at /v1/models."],
    [{ prompt: "hi" }, 400, "Invalid request: missing 'model' in request body."],
    [{ model: 7, prompt: "hi" }, 400, "Invalid request: missing 'model' in request body."],
  ])("answers %j with %i, as production-stack does", async (body, status, message) => {
    const { fleet, engines } = await fleetOf(["a", "b"], NEVER);
    for (const path of ["/v1/completions", "/v1/embeddings"]) {
      const answer = await complete(fleet, body, path);
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.text)).toMatchObject({ error: { message, code: status } });
    }
    expect(Object.values(engines).flatMap(({ seen }) => seen)).toEqual([]);
  });

  it("lists the models there are, each once, and 503 for one whose workers have left", async () => {
    const { fleet, engines } = await fleetOf(["a1", "b", "a2"], NEVER);
    const ids = async () => {
      const list = (await (await fetch(`${fleet.url}/v1/models`)).json()) as { data: { id: string }[] };
      expect(list).toMatchObject({ object: "list", data: [{ object: "model", owned_by: "vllm" }, {}] });
      return list.data.map(({ id }) => id);
    };
    expect(await ids()).toEqual(["a", "b"]);
    const query = (name: string) => encodeURIComponent(engines[name]!.url);
    await post(`${fleet.url}/remove_worker?url=${query("b")}`, "");
    expect((await complete(fleet, { model: "b", prompt: "hi" })).status).toBe(503);
    const back = await post(`${fleet.url}/add_worker?url=${query("b")}&model_id=new`, "");
    expect(await back.text()).toContain("Successfully added");
    expect(await ids()).toEqual(["a", "new"]);
    expect((await complete(fleet, { model: "new", prompt: "hi", max_tokens: 1 })).status).toBe(200);
    const bare = await post(`${fleet.url}/add_worker?url=http%3A%2F%2F127.0.0.1%3A1`, "");
    expect([bare.status, await bare.text()]).toEqual([
      400,
      expect.stringContaining("names no model, expected one"),
    ]);
  });

  it("replays from its event log to the last decision", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "models-")), "events.jsonl");
    const { fleet } = await fleetOf(["a1", "a2", "b1", "b2"], { decider: "never", policy: "random" }, path);
    for (let i = 0; i < 20; i++) {
      await complete(fleet, { model: "ab"[i % 2], prompt: `p${i % 3}`, max_tokens: 1 });
    }
    await complete(fleet, { model: "c", prompt: "x" });
    await fleet.proxy.close();
    expect(await replayEventLog(path)).toMatchObject({ decisions: 21, divergences: [] });
  });

  it("serves two fleets of engines that know their own model only", async () => {
    const fleets = await Promise.all(
      ["small", "large"].map((model) =>
        startMockEngines({
          timeScale: 0.02,
          model,
          settings: { prefill_workers: 1, decode_workers: 1, profile: "llama-3.1-8b-h100-tp1-bf16" },
        }),
      ),
    );
    closing.push(...fleets);
    const urls = (role: "prefill" | "decode") =>
      fleets.flatMap(({ engines }) =>
        engines.filter((each) => each.role === role).map(({ url, model }) => parseWorkerUrl(url, { model })),
      );
    const proxy = await startProxy({
      ...proxyOptions([], [], { decider: "always", policy: "round_robin" }),
      prefill: urls("prefill"),
      decode: urls("decode"),
    });
    closing.unshift(proxy);
    const client = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: "none", maxRetries: 0 });
    for (const model of ["small", "large", "small", "large"]) {
      const answer = await client.completions.create({ model, prompt: [1, 2, 3], max_tokens: 3 });
      expect(answer).toMatchObject({ model, usage: { prompt_tokens: 3, completion_tokens: 3 } });
    }
    await expect(client.completions.create({ model: "huge", prompt: "x" })).rejects.toThrow(
      OpenAI.NotFoundError,
    );
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["small", "large"]);
  });
});

describe("workers whose health is asked of their model", () => {
  it("take requests as long as they answer a small one of their type", async () => {
    const engine = await ScriptedEngine.start();
    extra.push(engine);
    const probe = { path: "/v1/completions", contentType: "application/json", body: '{"model":"m"}' };
    engine.script = (_, res) => sendJson(res, 500, "{}");
    const fleet = await startFleet({
      prefill: 0,
      decode: 0,
      router: NEVER,
      options: {
        decode: [{ ...parseWorkerUrl(engine.url), probe }],
        resilience: { ...DEFAULT_RESILIENCE, retries: null },
        door: { ...OPEN_DOOR, workerKey: "secret" },
      },
    });
    const ready = async () => (await fetch(`${fleet.url}/readiness`)).status;
    await engine.next();
    while ((await ready()) !== 503);
    engine.script = (_, res) => sendJson(res, 200, "{}");
    while ((await ready()) !== 200);
    await until(() => engine.open === 0);
    for (const { method, url, body, headers } of engine.seen) {
      expect([method, url, body.toString(), headers.authorization]).toEqual([
        "POST",
        probe.path,
        probe.body,
        "Bearer secret",
      ]);
    }
    expect(engine.healthChecks).toBe(0);
  });
});

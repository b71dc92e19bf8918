import { describe, expect, it } from "vitest";
import { ApiKey } from "../../../src/proxy/door/api-key.js";
import { headersInside } from "../../../src/proxy/door/client-headers.js";
import { OPEN_DOOR, type DoorOptions } from "../../../src/proxy/door/door.js";
import { TargetRules } from "../../../src/proxy/door/target-rules.js";
import { parseWorkerUrl } from "../../../src/proxy/worker-url.js";
import { post, startFleet } from "../support/fleet.js";

const BODY = { prompt: "hello", max_tokens: 2 };
const behind = (door: Partial<DoorOptions>) => startFleet({ options: { door: { ...OPEN_DOOR, ...door } } });
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe("an API key", () => {
  const key = new ApiKey("s3cret");
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

  it.each([
    ["Bearer s3cret", true],
    ["bearer  s3cret", true],
    [basic("anybody:s3cret"), true],
    ["Bearer s3cre", false],
    ["Bearer s3cret2", false],
    ["Bearer", false],
    ["Bearer ", false],
    ["s3cret", false],
    ["Digest s3cret", false],
    [basic("s3cret"), true],
    [basic("s3cret:"), false],
    [undefined, false],
  ])("%j: %s", (header, matches) => {
    expect(key.matches(header)).toBe(matches);
  });

  it("is never matched by nothing", () => {
    expect(new ApiKey("").matches("Bearer ")).toBe(false);
    expect(new ApiKey("").matches(undefined)).toBe(false);
  });

  it("is asked for on every route but those that load balancers probe", async () => {
    const { url, prefill, decode } = await behind({ apiKey: "s3cret" });
    for (const path of ["/v1/models", "/metrics", "/dashboard", "/workers", "/debug/decisions"]) {
      const response = await fetch(`${url}${path}`);
      expect([path, response.status]).toEqual([path, 401]);
      expect(response.headers.get("www-authenticate")).toContain("Basic");
      expect(await response.text()).not.toContain("s3cret");
    }
    expect((await post(`${url}/v1/completions`, BODY, bearer("wrong"))).status).toBe(401);
    expect([...prefill, ...decode].flatMap(({ seen }) => seen)).toEqual([]);
    for (const path of ["/health", "/liveness", "/readiness"]) {
      expect((await fetch(`${url}${path}`)).status).toBe(200);
    }
    expect((await post(`${url}/v1/completions`, BODY, bearer("s3cret"))).status).toBe(200);
  });
});

describe("the client's Authorization", () => {
  const seenBy = async (door: Partial<DoorOptions>) => {
    const { url, prefill, decode } = await behind(door);
    const response = await post(`${url}/v1/completions`, BODY, bearer("mine"));
    await (await fetch(`${url}/v1/models`, { headers: bearer("mine") })).text();
    expect(response.status).toBe(200);
    return [...prefill, ...decode].flatMap(({ seen }) => seen.map(({ headers }) => headers.authorization));
  };

  it.each<[string, Partial<DoorOptions>, string | undefined]>([
    ["goes on where it is told to", {}, "Bearer mine"],
    ["ends here otherwise", { forwardsAuthorization: false }, undefined],
    ["gives way to the key of the workers", { workerKey: "theirs" }, "Bearer theirs"],
    [
      "that opened the door ends here too",
      { apiKey: "mine", forwardsAuthorization: false, workerKey: "theirs" },
      "Bearer theirs",
    ],
  ])("%s", async (_, door, expected) => {
    expect(await seenBy(door)).toEqual([expected, expected, expected]);
  });
});

describe("request ids", () => {
  const rules = { forwardsAuthorization: true, workerKey: null };

  it("come from the first of the named headers that holds a harmless one", () => {
    const requestIdHeaders = ["x-trace-id", "request-id"];
    const raw = ["X-Request-Id", "a", "Request-Id", "b", "X-Trace-Id", "c\u00e9"];
    expect(headersInside(raw, { ...rules, requestIdHeaders })).toEqual([
      ...["Request-Id", "b", "X-Trace-Id", "c\u00e9", "x-request-id", "b"],
    ]);
  });

  it("leave the headers alone where nothing is to be done", () => {
    const raw = ["X-Request-Id", "a"];
    expect(headersInside(raw, { ...rules, requestIdHeaders: ["x-request-id"] })).toBe(raw);
  });

  it.each(["a b", "a\u00e9", "x".repeat(201), '"quoted"', "<script>", "a;b"])(
    "that could do harm are replaced: %j",
    async (id) => {
      const { url, decode } = await startFleet();
      const response = await post(`${url}/v1/completions`, BODY, { "x-request-id": id });
      const given = response.headers.get("x-request-id");
      expect(given).not.toBe(id);
      expect(decode[0]!.seen[0]!.headers["x-request-id"]).toBe(given);
    },
  );
});

describe("pages of other origins", () => {
  const evil = { origin: "http://evil.example" };

  it("may not send requests by themselves", async () => {
    const { url, decode } = await behind({});
    expect((await post(`${url}/v1/completions`, BODY, evil)).status).toBe(403);
    expect(decode[0]!.seen).toEqual([]);
    expect((await post(`${url}/v1/completions`, BODY, { origin: url })).status).toBe(200);
    expect((await fetch(`${url}/health`, { headers: evil })).headers.has("access-control-allow-origin")).toBe(
      false,
    );
  });

  it("may where they are named, after asking", async () => {
    const { url } = await behind({ corsOrigins: ["http://evil.example"], apiKey: "k" });
    const asking = { ...evil, "access-control-request-method": "POST" };
    const preflight = await fetch(`${url}/v1/completions`, { method: "OPTIONS", headers: asking });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(evil.origin);
    const response = await post(`${url}/v1/completions`, BODY, { ...evil, ...bearer("k") });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe(evil.origin);
    expect((await post(`${url}/v1/completions`, BODY, { origin: "http://other" })).status).toBe(403);
  });
});

describe("a root path", () => {
  it("is taken off on the way in, also where it is the whole path", async () => {
    const { url, decode } = await behind({ rootPath: "/vllm" });
    expect((await post(`${url}/vllm/v1/completions?x=1`, BODY)).status).toBe(200);
    expect((await fetch(`${url}/vllm/health`)).status).toBe(200);
    await (await fetch(`${url}/vllmx`)).text();
    await (await fetch(`${url}/vllm?y=2`)).text();
    expect(decode[0]!.seen.map(({ url: target }) => target)).toEqual([
      ...["/v1/completions?x=1", "/vllmx", "/?y=2"],
    ]);
  });
});

describe("targets of workers", () => {
  const refusal = (url: string, ...rules: string[]) => new TargetRules(rules).refusal(parseWorkerUrl(url));

  it.each([
    ["http://10.1.2.3:8000", ["10.0.0.0/8"]],
    ["http://10.1.2.3:8000@3", ["10.0.0.0/8:8000-8010"]],
    ["http://[fd00::5]:8000", ["[fd00::]/8"]],
    ["http://d0.pods.cluster.local", ["*.pods.cluster.local:80"]],
    ["https://D0.example", ["d0.example:443"]],
    ["http://127.0.0.1:8100", ["10.0.0.0/8", "127.0.0.1"]],
    ["http://anything:1", []],
  ])("%s is allowed by %j", (url, rules) => {
    expect(refusal(url, ...rules)).toBeNull();
  });

  it.each([
    ["http://11.1.2.3:8000", ["10.0.0.0/8"]],
    ["http://10.1.2.3:8011", ["10.0.0.0/8:8000-8010"]],
    ["http://pods.cluster.local", ["*.pods.cluster.local"]],
    ["http://evilpods.cluster.local", ["*.pods.cluster.local"]],
    ["http://10.0.0.1.evil.example", ["10.0.0.0/8"]],
    ["http://169.254.169.254/latest", []],
    ["http://169.254.169.254", ["169.254.0.0/16"]],
    ["http://2852039166", []],
    ["http://[::ffff:169.254.169.254]", []],
    ["http://[fe80::1]:8000", []],
    ["http://0.0.0.0:8000", []],
    ["http://[::]:8000", []],
  ])("%s is refused by %j", (url, rules) => {
    expect(refusal(url, ...rules)).toMatch(/is not allowed as a worker|address that no worker has/);
  });

  it.each(["", "10.0.0.0/33", "host/8", "a:0", "a:9-8", "a:70000", "http://a", "*"])(
    "a rule %j is none",
    (rule) => {
      expect(() => new TargetRules([rule])).toThrow("--allow-worker");
    },
  );
});

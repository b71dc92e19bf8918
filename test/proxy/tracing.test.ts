import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startProxy, type RunningProxy } from "../../src/proxy/server.js";
import type { TracingOptions } from "../../src/proxy/tracing.js";
import { startCollector, type Collector, type SeenSpan } from "./support/collector.js";
import { post, proxyOptions } from "./support/fleet.js";
import { ScriptedEngine, sendJson } from "./support/scripted-engine.js";

const BODY = { prompt: "a prompt that nobody may see", max_tokens: 2 };
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";

describe("a traced request", () => {
  let collector: Collector;
  let engines: { prefill: ScriptedEngine; decode: ScriptedEngine };
  const proxies: RunningProxy[] = [];

  beforeEach(async () => {
    collector = await startCollector();
    engines = { prefill: await ScriptedEngine.start(), decode: await ScriptedEngine.start() };
  });
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
    await Promise.all([collector.close(), engines.prefill.close(), engines.decode.close()]);
  });

  async function start(options: Partial<TracingOptions> = {}): Promise<RunningProxy> {
    const tracing = { url: new URL(collector.url), serviceName: "test", samplingRatio: 1, ...options };
    const proxy = await startProxy({ ...proxyOptions([engines.prefill], [engines.decode]), tracing });
    proxies.push(proxy);
    return proxy;
  }

  /** Sends one request; closing the proxy sends its spans. */
  async function spansOf(
    headers: Record<string, string> = {},
    options: Partial<TracingOptions> = {},
    body: object = BODY,
  ): Promise<Record<string, SeenSpan>> {
    const proxy = await start(options);
    await (await post(`${proxy.url}/v1/completions`, body, headers)).text();
    await proxies.pop()!.close();
    return Object.fromEntries(collector.spans.map((span) => [span.name, span]));
  }

  const traceparentOf = ({ seen }: ScriptedEngine) => seen[0]!.headers["traceparent"];

  it("has a span of its own and one for each leg, which its worker gets as its parent", async () => {
    const spans = await spansOf();
    const root = spans["POST /v1/completions"]!;
    expect(Object.keys(spans).sort()).toEqual(["POST /v1/completions", "decode", "prefill"]);
    expect(root.parentSpanId ?? "").toBe("");
    expect(root.attributes).toMatchObject({
      "http.response.status_code": 200,
      "pdbench.path": "disaggregated",
      "pdbench.branch": "at_or_above_threshold",
      "pdbench.outcome": "completed",
    });
    for (const leg of ["prefill", "decode"] as const) {
      expect(spans[leg]).toMatchObject({ traceId: root.traceId, parentSpanId: root.spanId, isError: false });
      expect(spans[leg]!.attributes).toMatchObject({ "pdbench.worker": engines[leg].url });
      expect(traceparentOf(engines[leg])).toBe(`00-${root.traceId}-${spans[leg]!.spanId}-01`);
    }
    expect(collector.paths).toEqual(["/v1/traces"]);
    expect(collector.resources[0]).toMatchObject({ "service.name": "test" });
    expect(JSON.stringify(collector.spans)).not.toContain("nobody may see");
  });

  it("goes on with the trace of its caller", async () => {
    const spans = await spansOf({ traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: "vendor=1" });
    expect(spans["POST /v1/completions"]).toMatchObject({ traceId: TRACE, parentSpanId: CALLER });
    expect(traceparentOf(engines.decode)).toMatch(new RegExp(`^00-${TRACE}-(?!${CALLER})[0-9a-f]{16}-01$`));
    expect(engines.decode.seen[0]!.headers["tracestate"]).toBe("vendor=1");
  });

  it.each([
    ["its caller does not keep the trace", { traceparent: `00-${TRACE}-${CALLER}-00` }, {}],
    ["the sampling ratio is 0", {}, { samplingRatio: 0 }],
  ] as const)("is not sent where %s, and says so to the workers", async (_, headers, options) => {
    expect(await spansOf(headers, options)).toEqual({});
    expect(traceparentOf(engines.prefill)).toMatch(/-00$/);
  });

  it.each(["nonsense", `ff-${TRACE}-${CALLER}-01`, `00-${"0".repeat(32)}-${CALLER}-01`])(
    "begins a trace of its own where the caller's is %s",
    async (traceparent) => {
      const { traceId } = (await spansOf({ traceparent }))["POST /v1/completions"]!;
      expect(traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
      expect(traceId).not.toBe(TRACE);
    },
  );

  it("marks what failed: the leg, and the request", async () => {
    engines.decode.script = (_, res) => sendJson(res, 503, "{}");
    const spans = await spansOf();
    expect(spans["prefill"]).toMatchObject({ isError: false });
    expect(spans["decode"]).toMatchObject({ isError: true });
    expect(spans["POST /v1/completions"]).toMatchObject({
      isError: true,
      attributes: { "http.response.status_code": 503, "pdbench.outcome": "retryable" },
    });
  });

  it("ends its open legs when a worker breaks off", async () => {
    engines.prefill.script = (_, res) => void res.destroy();
    const spans = await spansOf();
    expect(Object.keys(spans).sort()).toEqual(["POST /v1/completions", "prefill"]);
    expect(spans["prefill"]).toMatchObject({ isError: true });
  });

  it("does not keep the proxy from ending when the collector is away", async () => {
    await collector.close();
    const proxy = await start();
    expect((await post(`${proxy.url}/v1/completions`, BODY)).status).toBe(200);
    await proxies.pop()!.close();
    collector = await startCollector();
  });
});

describe("a request that is not traced", () => {
  it("keeps the traceparent of its client on both legs", async () => {
    const engines = [await ScriptedEngine.start(), await ScriptedEngine.start()] as const;
    const proxy = await startProxy(proxyOptions([engines[0]], [engines[1]]));
    const traceparent = `00-${TRACE}-${CALLER}-01`;
    await (await post(`${proxy.url}/v1/completions`, BODY, { traceparent })).text();
    await proxy.close();
    for (const { seen } of engines) expect(seen[0]!.headers["traceparent"]).toBe(traceparent);
    await Promise.all(engines.map((engine) => engine.close()));
  });
});

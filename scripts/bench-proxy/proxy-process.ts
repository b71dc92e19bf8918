import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { startProxy } from "../../src/proxy/server.js";
import { parseWorkerUrl } from "../../src/proxy/worker-url.js";

/** The proxy in a process of its own: one engine behind it, as decode worker and on request as prefill worker. */
const [engineUrl, decider, policy] = process.argv.slice(2);
const worker = parseWorkerUrl(engineUrl!);

const proxy = await startProxy({
  host: "127.0.0.1",
  port: 0,
  prefill: decider === "always" ? [parseWorkerUrl(`${engineUrl!}@0`)] : [],
  decode: [worker],
  router: resolveRouterConfig({ decider, policy }).config,
  seed: 1,
  connector: { connector: "nixl", remoteHost: "as_reported", decoders: {} },
  maxPayloadBytes: 1 << 26,
  engineStatsIntervalMs: 1000,
  onDefect: (error) => {
    throw error;
  },
});
process.once("SIGTERM", () => void proxy.close());
console.log(proxy.url);

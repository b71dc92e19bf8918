import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMockEngines, type MockFleet } from "../../mock-engines/start-mock-engines.js";
import { startProxy, type RunningProxy } from "../../src/proxy/server.js";
import { parseWorkerUrl } from "../../src/proxy/worker-url.js";
import { proxyOptions } from "../proxy/support/fleet.js";
import { EagerClock } from "./eager-clock.js";
import { MixedClients, type Tally } from "./mixed-clients.js";

const REQUESTS = 2000;
const CLIENTS = 16;
/** A thousand requests come between: nothing of a kilobyte is kept for each of them. */
const GROWTH_BYTES_MAX = 1 << 20;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

describe(`${REQUESTS} mixed requests, one in ten given up, one in twenty hit by a fault`, () => {
  const clock = new EagerClock();
  let fleet: MockFleet;
  let proxy: RunningProxy;
  let clients: MixedClients;
  let tally: Tally;
  let halfway: Resources;
  let atTheEnd: Resources;

  beforeAll(async () => {
    fleet = await startMockEngines({
      clock,
      settings: {
        prefill_workers: 2,
        decode_workers: 2,
        profile: "llama-3.1-8b-h100-tp1-bf16",
        "engine.vllm_version": "main-2026-08",
        "engine.num_gpu_blocks": 400,
        "engine.max_model_len": 2000,
      },
      knobs: {
        error_rate: 0.01,
        reset_rate: 0.01,
        midstream_reset_rate: 0.01,
        kv_failure_rate: 0.02,
        kv_lease_ms: 1e9,
      },
    });
    const urls = (leg: "prefill" | "decode") =>
      fleet.engines.filter(({ role }) => role === leg).map(({ url }) => parseWorkerUrl(url));
    const router = { policy: "cache_aware", decider: { kind: "threshold", routing_threshold: 100 } };
    proxy = await startProxy({
      ...proxyOptions([], [], router),
      prefill: urls("prefill"),
      decode: urls("decode"),
    });
    clients = new MixedClients(proxy.url, CLIENTS, 7);
    await clients.send(REQUESTS / 2);
    await idle();
    halfway = resources();
    tally = await clients.send(REQUESTS / 2);
    await idle();
    atTheEnd = resources();
  }, 240_000);

  afterAll(async () => {
    clients.close();
    await Promise.all([proxy.close(), fleet.close()]);
  });

  /** Resolves when nothing is open any more; never, which fails the test, when something is left behind. */
  async function idle(): Promise<void> {
    const isIdle = () =>
      proxy.router.isIdle() &&
      fleet.engines.every((engine) => {
        const { serverLoad, ranks } = engine.state();
        return serverLoad === 0 && ranks.every((rank) => rank.blocksInUse + rank.handlesOutstanding === 0);
      });
    while (!isIdle()) {
      await new Promise((resolve) => setImmediate(resolve));
      if (proxy.router.isIdle()) clock.runOut();
    }
  }

  it("end in every way, and each of them once", () => {
    expect(tally.completed + tally.failed + tally.left).toBe(REQUESTS);
    expect(tally.completed).toBeGreaterThan(0.75 * REQUESTS);
    expect(tally.failed).toBeGreaterThan(0.02 * REQUESTS);
    expect(tally.left).toBeGreaterThan(0.03 * REQUESTS);
  });

  it("leave no load on any worker of the routing core", () => {
    const { router } = proxy;
    for (let worker = 0; worker < 4; worker++) {
      const left = [router.bookedLegs(worker), router.load.open(worker), router.load.prefillTokens(worker)];
      expect(left, `worker ${worker}`).toEqual([0, 0, 0]);
    }
  });

  it("leave no request, no block and no handle in any engine, and every handle has ended once", () => {
    for (const engine of fleet.engines) {
      const { serverLoad, ranks } = engine.state();
      expect(serverLoad).toBe(0);
      expect(ranks[0]).toMatchObject({
        openLegs: 0,
        running: 0,
        waiting: 0,
        blocksInUse: 0,
        handlesOutstanding: 0,
      });
      const { handlesIssued, handlesRead, handlesReleased, handlesExpired } = ranks[0]!;
      expect(handlesRead + handlesReleased + handlesExpired).toBe(handlesIssued);
      if (engine.role === "prefill") expect(handlesRead).toBeGreaterThan(0);
    }
  });

  it("leave no more sockets than connections may stay open, and no more memory the longer they go on", () => {
    // Both ends of a connection of each client, and of as many to each worker.
    expect(atTheEnd.sockets).toBeLessThanOrEqual(2 * CLIENTS * (1 + fleet.engines.length));
    expect(atTheEnd.heapBytes - halfway.heapBytes).toBeLessThan(GROWTH_BYTES_MAX);
  });

  it("leave no socket at all once the servers are closed", async () => {
    clients.close();
    await Promise.all([proxy.close(), fleet.close()]);
    while (sockets() > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  });
});

interface Resources {
  readonly sockets: number;
  readonly heapBytes: number;
}

function resources(): Resources {
  collectGarbage();
  return { sockets: sockets(), heapBytes: process.memoryUsage().heapUsed };
}

function sockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
}

import { describe, expect, it } from "vitest";
import { startFleet, until } from "./support/fleet.js";
import { mixedTraffic } from "./support/mixed-traffic.js";

describe("mixed traffic with aborts and faults", () => {
  it.each([
    ["nixl", "independent"],
    ["nixl", "late_decode"],
    ["sglang", "independent"],
  ] as const)("leaves no load, no open leg and no socket behind (%s, %s)", async (connector, order) => {
    const fleet = await startFleet({
      prefill: 2,
      decode: 2,
      router: { policy: "cache_aware", order, decider: { kind: "threshold", routing_threshold: 15 } },
      options: { connector: { connector, remoteHost: "as_reported", decoders: {} } },
    });
    const tally = await mixedTraffic(fleet, { requests: 200, seed: 3 });
    expect(tally.completed + tally.failed + tally.aborted).toBe(200);
    expect(tally.completed).toBeGreaterThan(100);
    expect(tally.failed).toBeGreaterThan(5);
    expect(tally.aborted).toBeGreaterThan(0);
    const { router } = fleet.proxy;
    for (let worker = 0; worker < 4; worker++) {
      expect([
        router.bookedLegs(worker),
        router.load.open(worker),
        router.load.prefillTokens(worker),
      ]).toEqual([0, 0, 0]);
    }
    await fleet.proxy.close();
    await until(() => [...fleet.prefill, ...fleet.decode].every(({ sockets }) => sockets.size === 0));
  });
});

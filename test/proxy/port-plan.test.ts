import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planPorts, type PortDeployment } from "../../src/proxy/port-plan.js";

function deployment(settings: Partial<PortDeployment> & { readonly name: string }): PortDeployment {
  return {
    host: "localhost",
    base: 20_000,
    engines: 1,
    offsetBy: "replica",
    devices: 1,
    explicitPort: null,
    ...settings,
  };
}

const portsOf = (settings: Partial<PortDeployment>): string[] =>
  planPorts([deployment({ name: "prefill", ...settings })]).ranges.map(
    ({ first, last }) => `${first}-${last}`,
  );

describe("the ports of a deployment", () => {
  it.each([
    ["one replica of one device at its base", {}, ["20000-20000"]],
    [
      "replicas apart by their devices",
      { engines: 3, devices: 2 },
      ["20000-20001", "20002-20003", "20004-20005"],
    ],
    [
      "data-parallel ranks apart by one, whatever their devices",
      { engines: 2, devices: 4, offsetBy: "data_parallel_rank" },
      ["20000-20000", "20001-20001"],
    ],
    [
      "an explicit port before base and offset",
      { engines: 2, explicitPort: 5600 },
      ["5600-5600", "5600-5600"],
    ],
  ] as const)("put %s", (_, settings, ports) => {
    expect(portsOf(settings)).toEqual(ports);
  });

  it("stay below 65536", () => {
    expect(portsOf({ base: 65_535 })).toEqual(["65535-65535"]);
    expect(() => portsOf({ base: 65_535, devices: 2 })).toThrow(
      "prefill: engine 0 needs ports 65535 to 65536",
    );
  });
});

describe("a collision of ports", () => {
  const pair = (decode: Partial<PortDeployment>) =>
    planPorts([
      deployment({ name: "prefill", devices: 2 }),
      deployment({ name: "decode", devices: 2, ...decode }),
    ]).collisions.map(({ first, last }) => [first, last]);

  it("is found for bases one apart with two devices each", () => {
    expect(pair({ base: 20_001 })).toEqual([[20_001, 20_001]]);
  });

  it("needs one host and a common port", () => {
    expect(pair({ base: 20_000 })).toEqual([[20_000, 20_001]]);
    expect(pair({ base: 20_002 })).toEqual([]);
    expect(pair({ base: 20_000, host: "other" })).toEqual([]);
    expect(pair({ base: 22_000 })).toEqual([]);
  });

  it("is reported exactly where two engines of a host share a port", () => {
    const any = fc.record({
      name: fc.constantFrom("a", "b"),
      host: fc.constantFrom("h1", "h2"),
      base: fc.integer({ min: 1, max: 12 }),
      engines: fc.integer({ min: 1, max: 4 }),
      offsetBy: fc.constantFrom("replica" as const, "data_parallel_rank" as const),
      devices: fc.integer({ min: 1, max: 3 }),
      explicitPort: fc.option(fc.integer({ min: 1, max: 12 })),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 4 }), (deployments) => {
        const { ranges, collisions } = planPorts(deployments);
        const taken = ranges.flatMap(({ host, first, last }) =>
          Array.from({ length: last - first + 1 }, (_, i) => `${host}:${first + i}`),
        );
        expect(collisions.length > 0).toBe(new Set(taken).size < taken.length);
      }),
    );
  });
});

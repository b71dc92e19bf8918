import { describe, expect, it } from "vitest";
import {
  doorOptions,
  ownPorts,
  targetRules,
  type SecurityFlags,
} from "../../../src/cli/proxy-security-flags.js";

const ENV = { OPENAI_API_KEY: "of-the-environment" };

describe("who sees the Authorization of clients", () => {
  it.each<[string, SecurityFlags, Parameters<typeof doorOptions>[1], boolean, [boolean, string | null]]>([
    ["nobody, by itself", {}, "pdbench", true, [false, null]],
    ["workers, when told", { forwardAuthorization: true }, "pdbench", true, [true, null]],
    ["workers of vllm-router's regular mode, as there", {}, "vllm-router", false, [true, null]],
    [
      "nobody in its PD mode, where workers get OPENAI_API_KEY",
      {},
      "vllm-router",
      true,
      [false, ENV.OPENAI_API_KEY],
    ],
    ["workers of production-stack's plain logics, as there", {}, "production-stack", false, [true, null]],
    ["nobody with its disaggregation", {}, "production-stack", true, [false, ENV.OPENAI_API_KEY]],
    ["nobody, when told", { forwardAuthorization: false }, "vllm-router", false, [false, null]],
    ["workers of PD mode, when told", { forwardAuthorization: true }, "vllm-router", true, [true, null]],
    [
      "nobody where workers have a key of their own",
      { workerApiKey: "w" },
      "vllm-router",
      false,
      [false, "w"],
    ],
  ])("%s", (_, flags, dialect, disaggregates, expected) => {
    const { forwardsAuthorization, workerKey } = doorOptions(flags, dialect, disaggregates, ENV);
    expect([forwardsAuthorization, workerKey]).toEqual(expected);
  });
});

describe("security flags", () => {
  const door = (flags: SecurityFlags) => doorOptions(flags, "pdbench", true, {});

  it.each<[RegExp, () => unknown]>([
    [/--api-key: expected a key of visible/, () => door({ apiKey: "" })],
    [/--api-key: expected a key of visible/, () => door({ apiKey: "a b" })],
    [/expected one of them/, () => door({ workerApiKey: "w", forwardAuthorization: true })],
    [/--request-id-headers: got a:b/, () => door({ requestIdHeaders: ["a:b"] })],
    [/--cors-allowed-origins: got example.com/, () => door({ corsAllowedOrigins: ["example.com"] })],
    [/--cors-allowed-origins: got https:\/\/a\/b/, () => door({ corsAllowedOrigins: ["https://a/b"] })],
    [/--root-path: got vllm/, () => door({ rootPath: "vllm" })],
    [/--root-path: got \/a\/\.\.\/b\?/, () => door({ rootPath: "/a/../b?" })],
    [/--admin-host has no effect without --admin-port/, () => ownPorts({ adminHost: "0.0.0.0" })],
    [/--allow-worker: got a\/b/, () => targetRules({ allowWorker: ["a/b"] })],
  ])("that are wrong say so: %s", (message, read) => {
    expect(read).toThrow(message);
  });

  it("keep the proxy's own ports on loopback unless told otherwise", () => {
    expect(ownPorts({ adminPort: 1, prometheusPort: 2 })).toEqual({
      admin: { host: "127.0.0.1", port: 1 },
      metrics: { host: "127.0.0.1", port: 2 },
    });
    expect(ownPorts({})).toEqual({ admin: null, metrics: null });
  });
});

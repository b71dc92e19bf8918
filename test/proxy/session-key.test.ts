import { describe, expect, it } from "vitest";
import { sessionKey, sessionSource } from "../../src/proxy/session-key.js";

const usual = sessionSource();

describe("the session of a request", () => {
  it.each<[string, string[], Record<string, unknown> | null, string | null]>([
    ["a header", ["x-session-id", "s1"], null, "s1"],
    ["in any case", ["X-Session-ID", "s1"], null, "s1"],
    ["with underscores", ["X_Session_Id", "s1"], null, "s1"],
    ["the first of two", ["x-session-id", "s1", "X-Session-Id", "s2"], null, "s1"],
    ["an empty header is absent", ["x-session-id", "", "x-user-id", "u"], null, "u"],
    ["the session before the user", ["x-user-id", "u", "x-session-id", "s"], null, "s"],
    ["a header before the body", ["x-session-id", "s"], { user: "u" }, "s"],
    ["session_params of the body", [], { session_params: { session_id: "p" }, user: "u" }, "p"],
    ["user of the body", [], { user: "u" }, "u"],
    ["a number", [], { session_id: 7 }, "7"],
    ["an empty member", [], { user: "" }, null],
    ["a member of another type", [], { user: { id: 1 } }, null],
    [
      "an id that proxies set anew for every request",
      ["x-request-id", "r", "x-correlation-id", "c"],
      {},
      null,
    ],
    ["none", [], {}, null],
  ])("%s", (_, headers, body, expected) => {
    expect(sessionKey(usual, headers, body)).toBe(expected);
  });

  it("is looked for under the name the user gives, and only there", () => {
    const source = sessionSource("X-Tenant");
    expect(sessionKey(source, ["x_tenant", "t", "x-session-id", "s"], null)).toBe("t");
    expect(sessionKey(source, ["x-session-id", "s"], { user: "u", "X-Tenant": "b" })).toBe("b");
    expect(sessionKey(source, ["x-session-id", "s"], { user: "u" })).toBeNull();
  });
});

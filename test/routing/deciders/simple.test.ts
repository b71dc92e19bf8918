import { describe, expect, it } from "vitest";
import { complete, request, routerOf } from "../builders.js";

describe("deciders", () => {
  it.each([
    [0, 0, "disaggregated", "at_or_above_threshold"],
    [0, 1, "disaggregated", "at_or_above_threshold"],
    [2048, 2047, "decode_only", "below_threshold"],
    [2048, 2048, "disaggregated", "at_or_above_threshold"],
    [2048, 2049, "disaggregated", "at_or_above_threshold"],
  ])("threshold %i sends a prompt of %i tokens to the %s path", (threshold, promptTokens, path, branch) => {
    const router = routerOf({ decider: { kind: "threshold", routing_threshold: threshold } });
    const decision = router.route(request(1, { promptTokens }), 0);
    expect(decision).toMatchObject({
      path,
      branch,
      decider: "threshold",
      figures: { prompt_tokens: promptTokens, routing_threshold: threshold },
    });
    expect(decision.prefill === null).toBe(path === "decode_only");
    complete(router, 1);
  });

  it.each([
    ["always", 1, "disaggregated"],
    ["never", 1_000_000, "decode_only"],
  ])("%s sends a prompt of %i tokens to the %s path", (decider, promptTokens, path) => {
    const router = routerOf({ decider });
    expect(router.route(request(1, { promptTokens }), 0)).toMatchObject({ path, branch: decider });
  });
});

import { describe, expect, it } from "vitest";
import { HANDLE, likeVllm, sendJson, type Script } from "../support/scripted-engine.js";
import {
  complete,
  expectAllOver,
  FAULTS,
  MID_STREAM,
  RESILIENCE,
  startFaulty,
  STREAM,
} from "./faulty-fleet.js";

const { failureThreshold } = RESILIENCE.breaker!;

describe.each(["prefill", "decode"] as const)("while one of two %s workers", (leg) => {
  it.each(Object.entries(FAULTS))("%s, every request is answered", async (_, script) => {
    const fleet = await startFaulty();
    fleet[leg][0]!.script = script;
    for (let i = 0; i < 6; i++) expect(await complete(fleet)).toBe("complete");
    expect(fleet[leg][0]!.seen.length).toBeGreaterThan(0);
    await expectAllOver(fleet);
  });

  it("dies idle, every request is answered", async () => {
    const fleet = await startFaulty();
    for (let i = 0; i < 4; i++) expect(await complete(fleet)).toBe("complete");
    await fleet[leg][0]!.close();
    for (let i = 0; i < 6; i++) expect(await complete(fleet)).toBe("complete");
    await expectAllOver(fleet);
  });

  it("fails all the time, its breaker keeps the others from it", async () => {
    const fleet = await startFaulty();
    fleet[leg][0]!.script = FAULTS["answers 500"];
    for (let i = 0; i < 12; i++) expect(await complete(fleet)).toBe("complete");
    expect(fleet[leg][0]!.seen).toHaveLength(failureThreshold);
    await expectAllOver(fleet);
  });
});

describe("in mid-stream", () => {
  it.each(Object.entries(MID_STREAM))("a worker that %s costs its own streams only", async (_, script) => {
    const fleet = await startFaulty();
    fleet.decode[0]!.script = script;
    const outcomes = [];
    for (let i = 0; i < 8; i++) outcomes.push(await complete(fleet));
    expect(outcomes.filter((outcome) => outcome === "error_event")).toHaveLength(failureThreshold);
    expect(outcomes.filter((outcome) => outcome === "complete")).toHaveLength(8 - failureThreshold);
    await expectAllOver(fleet);
  });
});

describe("between the legs", () => {
  it("prefill is fine and every decode worker is dead: 502, and nothing stays open", async () => {
    const fleet = await startFaulty();
    for (const engine of fleet.decode) engine.script = FAULTS["closes the connection before its first byte"];
    expect(await complete(fleet)).toBe(502);
    await expectAllOver(fleet);
  });

  it("a decode worker does not know the handle: prefill is done again, and its next handle is used", async () => {
    const fleet = await startFaulty();
    let handles = 0;
    for (const engine of fleet.prefill) {
      engine.script = (_, res) => {
        const handle = HANDLE.replace('"p0"', `"p${handles++}"`);
        sendJson(res, 200, `{"choices":[],"kv_transfer_params":${handle}}`);
      };
    }
    const forgetful: Script = (request, res) =>
      request.body.includes('"p0"') ? sendJson(res, 500, "{}") : likeVllm(request, res);
    for (const engine of fleet.decode) engine.script = forgetful;
    expect(await complete(fleet)).toBe("complete");
    expect(handles).toBe(2);
    await expectAllOver(fleet);
  });

  it("every prefill worker is dead: the decode workers do it all", async () => {
    const fleet = await startFaulty();
    await Promise.all(fleet.prefill.map((engine) => engine.close()));
    for (let i = 0; i < 8; i++) expect(await complete(fleet)).toBe("complete");
    expect(fleet.decode[0]!.bodies[0]).toBe(JSON.stringify(STREAM));
    await expectAllOver(fleet);
  });
});

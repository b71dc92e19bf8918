import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { complete, expectAllOver, FAULTS, startFaulty, STREAM } from "./faulty-fleet.js";

describe("a client", () => {
  it.each([0, 3, 10, 30])(
    "that leaves after %i turns of the event loop leaves nothing behind",
    async (turns) => {
      const fleet = await startFaulty();
      fleet.decode[0]!.script = FAULTS["hangs before its first byte"];
      fleet.decode[1]!.script = FAULTS["hangs after its headers"];
      const leaving = Array.from({ length: 6 }, async () => {
        const req = httpRequest(`${fleet.url}/v1/completions`, { method: "POST", agent: false });
        req.on("error", () => undefined);
        req.end(JSON.stringify(STREAM));
        for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
        req.destroy();
      });
      await Promise.all(leaving);
      await expectAllOver(fleet);
    },
  );

  it("that sends too much gets 413, and no worker hears of it", async () => {
    const fleet = await startFaulty({ options: { maxPayloadBytes: 1000 } });
    expect(await complete(fleet, { ...STREAM, prompt: "x".repeat(1000) })).toBe(413);
    expect(fleet.prefill.map(({ seen }) => seen.length)).toEqual([0, 0]);
    await expectAllOver(fleet);
  });

  it("that reads slowly gets every byte", async () => {
    const fleet = await startFaulty({ router: { decider: "never" }, prefill: 0 });
    const event = `data: ${"x".repeat(1 << 16)}\n\n`;
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      for (let i = 0; i < 40; i++) res.write(event);
      res.end();
    };
    const req = httpRequest(`${fleet.url}/v1/completions`, { method: "POST", agent: false });
    req.end(JSON.stringify(STREAM));
    const [res] = (await once(req, "response")) as [IncomingMessage];
    let bytes = 0;
    for await (const chunk of res) {
      bytes += (chunk as Buffer).length;
      fleet.timers.pass(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bytes).toBe(40 * event.length);
    await expectAllOver(fleet);
  });
});

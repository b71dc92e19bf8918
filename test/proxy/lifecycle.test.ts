import { once } from "node:events";
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { post, startFleet, until, type Fleet } from "./support/fleet.js";
import { eventsOf, Gate, likeVllm, sendJson, type Script } from "./support/scripted-engine.js";

const STREAM = { prompt: "hello", max_tokens: 3, stream: true };

/** A script that holds a request until the gate opens and then answers as vLLM does. */
const held =
  (gate: Gate): Script =>
  async (request, res) => {
    await gate.opened;
    if (!res.destroyed) await likeVllm(request, res);
  };

const openLegs = ({ proxy }: Fleet) => [proxy.router.bookedLegs(0), proxy.router.bookedLegs(1)];

function send(url: string, body: object): ClientRequest {
  const req = httpRequest(url, { method: "POST", agent: false });
  req.on("error", () => undefined);
  req.end(JSON.stringify(body));
  return req;
}

describe("a client that leaves", () => {
  it("while it uploads, leaves no trace", async () => {
    const fleet = await startFleet();
    const req = httpRequest(`${fleet.url}/v1/completions`, { method: "POST", agent: false });
    req.on("error", () => undefined);
    req.setHeader("content-length", 1000);
    req.write('{"prompt":');
    await once(req, "socket").then(([socket]: { once: unknown }[]) => socket);
    await until(() => req.socket?.connecting === false);
    req.destroy();
    expect((await post(`${fleet.url}/v1/completions`, STREAM)).status).toBe(200);
    expect(fleet.prefill[0]!.seen).toHaveLength(1);
  });

  it("during prefill, cancels it, and decode is never asked", async () => {
    const fleet = await startFleet();
    fleet.prefill[0]!.script = held(new Gate());
    const arrived = fleet.prefill[0]!.next();
    const req = send(`${fleet.url}/v1/completions`, STREAM);
    const { aborted } = await arrived;
    expect(openLegs(fleet)).toEqual([1, 1]);
    req.destroy();
    await aborted;
    await until(() => fleet.proxy.router.isIdle());
    expect(fleet.decode[0]!.seen).toHaveLength(0);
  });

  it("before the first token, cancels the decode leg", async () => {
    const fleet = await startFleet();
    fleet.decode[0]!.script = held(new Gate());
    const arrived = fleet.decode[0]!.next();
    const req = send(`${fleet.url}/v1/completions`, STREAM);
    const { aborted } = await arrived;
    expect(openLegs(fleet)).toEqual([0, 1]);
    req.destroy();
    await aborted;
    await until(() => fleet.proxy.router.isIdle());
  });

  it("in mid-stream, cancels the decode leg", async () => {
    const fleet = await startFleet();
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: {}\n\n");
    };
    const arrived = fleet.decode[0]!.next();
    const req = send(`${fleet.url}/v1/completions`, STREAM);
    const [res] = (await once(req, "response")) as [IncomingMessage];
    await once(res, "data");
    expect(openLegs(fleet)).toEqual([0, 1]);
    res.destroy();
    await (
      await arrived
    ).aborted;
    await until(() => fleet.proxy.router.isIdle());
  });

  it("during both legs of a concurrent handoff, cancels both", async () => {
    const fleet = await startFleet({
      options: { connector: { connector: "sglang", remoteHost: "as_reported", decoders: {} } },
    });
    fleet.prefill[0]!.script = held(new Gate());
    fleet.decode[0]!.script = held(new Gate());
    const arrived = [fleet.prefill[0]!.next(), fleet.decode[0]!.next()];
    const req = send(`${fleet.url}/v1/completions`, STREAM);
    const legs = await Promise.all(arrived);
    req.destroy();
    await Promise.all(legs.map(({ aborted }) => aborted));
    await until(() => fleet.proxy.router.isIdle());
  });

  it("of a route that is no work, cancels it too", async () => {
    const fleet = await startFleet();
    fleet.decode[0]!.script = held(new Gate());
    const arrived = fleet.decode[0]!.next();
    const req = httpRequest(`${fleet.url}/v1/models`, { agent: false });
    req.on("error", () => undefined);
    req.end();
    const { aborted } = await arrived;
    req.destroy();
    await aborted;
  });
});

describe("a worker that fails", () => {
  it.each([
    ["prefill", 503],
    ["prefill", 400],
    ["decode", 503],
    ["decode", 404],
  ] as const)(
    "with a status before the first byte: the %s worker's %i reaches the client",
    async (leg, status) => {
      const fleet = await startFleet();
      fleet[leg][0]!.script = (_, res) => sendJson(res, status, '{"error":{"message":"no"}}');
      const response = await post(`${fleet.url}/v1/completions`, STREAM);
      expect(response.status).toBe(status);
      expect(await response.text()).toBe('{"error":{"message":"no"}}');
    },
  );

  it.each(["prefill", "decode"] as const)(
    "by closing the connection before its answer: 502 (%s)",
    async (leg) => {
      const fleet = await startFleet();
      fleet[leg][0]!.script = (_, res) => void res.destroy();
      const response = await post(`${fleet.url}/v1/completions`, STREAM);
      expect(response.status).toBe(502);
      const { error } = (await response.json()) as { error: { message: string; code: number } };
      expect(error.code).toBe(502);
      expect(error.message).toMatch(new RegExp(`the ${leg} worker failed`));
      expect(error.message).not.toContain("127.0.0.1");
    },
  );

  it.each(["prefill", "decode"] as const)("by being away: 502 (%s)", async (leg) => {
    const fleet = await startFleet();
    await fleet[leg][0]!.close();
    const response = await post(`${fleet.url}/v1/completions`, STREAM);
    expect(response.status).toBe(502);
    expect(await response.text()).toContain("ECONNREFUSED");
  });

  it("after its headers but before its first token: 502, since no status has gone to the client", async () => {
    const fleet = await startFleet();
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.flushHeaders();
      setImmediate(() => res.destroy());
    };
    expect((await post(`${fleet.url}/v1/completions`, STREAM)).status).toBe(502);
  });

  it("in mid-stream: the stream ends in an error event, without half an event and without [DONE]", async () => {
    const fleet = await startFleet();
    const [first] = eventsOf(false, 3);
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(`${first}data: {"half":`);
      setImmediate(() => res.destroy());
    };
    const response = await post(`${fleet.url}/v1/completions`, STREAM);
    expect(response.status).toBe(200);
    const events = (await response.text()).split("\n\n");
    expect(events).toHaveLength(3);
    expect(`${events[0]!}\n\n`).toBe(first);
    expect(JSON.parse(events[1]!.slice("data: ".length))).toMatchObject({
      error: { type: "BadGatewayError", code: 502 },
    });
    expect(events[2]).toBe("");
  });

  it("in the middle of a JSON answer that goes through as it is: the connection breaks", async () => {
    const fleet = await startFleet({ router: { decider: "never" } });
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "application/json", "content-length": 100 });
      res.write('{"half":');
      setImmediate(() => res.destroy());
    };
    const response = await post(`${fleet.url}/v1/completions`, { prompt: "x" });
    await expect(response.text()).rejects.toThrow();
  });

  it("in the middle of a JSON answer of a disaggregated request: 502", async () => {
    const fleet = await startFleet();
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "application/json", "content-length": 100 });
      res.write('{"half":');
      setImmediate(() => res.destroy());
    };
    expect((await post(`${fleet.url}/v1/completions`, { prompt: "x" })).status).toBe(502);
  });

  it("to send valid HTTP: 502", async () => {
    const fleet = await startFleet();
    fleet.decode[0]!.script = (_, res) => void res.socket!.end("garbage\r\n\r\n");
    expect((await post(`${fleet.url}/v1/completions`, STREAM)).status).toBe(502);
  });

  it("to report a handle: the decode worker gets the client's body", async () => {
    const fleet = await startFleet();
    fleet.prefill[0]!.script = (_, res) => sendJson(res, 200, '{"choices":[]}');
    expect((await post(`${fleet.url}/v1/completions`, STREAM)).status).toBe(200);
    expect(fleet.decode[0]!.bodies).toEqual([JSON.stringify(STREAM)]);
  });
});

describe("both legs at once", () => {
  const options = { connector: { connector: "sglang", remoteHost: "as_reported", decoders: {} } } as const;

  it("are sent before either answers, and the prefill answer is drained", async () => {
    const fleet = await startFleet({ options });
    const gate = new Gate();
    fleet.prefill[0]!.script = held(gate);
    fleet.decode[0]!.script = held(gate);
    const arrived = Promise.all([fleet.prefill[0]!.next(), fleet.decode[0]!.next()]);
    const response = post(`${fleet.url}/v1/completions`, STREAM);
    const legs = await arrived;
    expect(legs.map(({ json }) => json!["bootstrap_room"])).toEqual([
      legs[0].json!["bootstrap_room"],
      legs[0].json!["bootstrap_room"],
    ]);
    gate.open();
    expect(await (await response).text()).toContain("[DONE]");
    await until(() => fleet.proxy.router.isIdle());
  });

  it("fail together when prefill fails first, with its status", async () => {
    const fleet = await startFleet({ options });
    fleet.decode[0]!.script = held(new Gate());
    fleet.prefill[0]!.script = (_, res) => sendJson(res, 503, '{"error":{"message":"full"}}');
    const arrived = fleet.decode[0]!.next();
    const response = await post(`${fleet.url}/v1/completions`, STREAM);
    expect(response.status).toBe(503);
    await (
      await arrived
    ).aborted;
  });

  it("end in an error event when prefill fails in mid-stream", async () => {
    const fleet = await startFleet({ options });
    const gate = new Gate();
    fleet.prefill[0]!.script = async (_, res) => {
      await gate.opened;
      sendJson(res, 500, "{}");
    };
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: {}\n\n");
    };
    const response = await post(`${fleet.url}/v1/completions`, STREAM);
    gate.open();
    expect(await response.text()).toMatch(
      /^data: \{\}\n\ndata: \{"error":\{"message":"the prefill worker failed/,
    );
  });

  it("leave a finished answer alone when the prefill leg ends badly after it", async () => {
    const fleet = await startFleet({ options });
    const gate = new Gate();
    fleet.prefill[0]!.script = async (_, res) => {
      await gate.opened;
      res.destroy();
    };
    const text = await (await post(`${fleet.url}/v1/completions`, STREAM)).text();
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(openLegs(fleet)).toEqual([1, 0]);
    gate.open();
    await until(() => fleet.proxy.router.isIdle());
  });
});

describe("a client that reads slowly", () => {
  it("slows the worker down rather than filling the proxy's memory", async () => {
    const fleet = await startFleet({ router: { decider: "never" } });
    const chunk = Buffer.concat([Buffer.alloc(1 << 16, "x"), Buffer.from("\n\n")]);
    const total = 1000;
    let sent = 0;
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      const pump = () => {
        while (sent < total) {
          sent++;
          if (!res.write(chunk)) {
            res.once("drain", pump);
            return;
          }
        }
        res.end();
      };
      pump();
    };
    const req = send(`${fleet.url}/v1/completions`, STREAM);
    const [res] = (await once(req, "response")) as [IncomingMessage];
    await untilSteady(() => sent);
    expect(sent).toBeLessThan(total / 2);
    let received = 0;
    res.on("data", (bytes: Buffer) => (received += bytes.length));
    await once(res, "end");
    expect(received).toBe(total * chunk.length);
  });
});

/** Waits until a figure no longer changes; all parties live in this process, so progress shows within a few turns. */
async function untilSteady(figure: () => number): Promise<void> {
  let last = figure();
  for (let turns = 0; turns < 200; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (figure() !== last) turns = 0;
    last = figure();
  }
}

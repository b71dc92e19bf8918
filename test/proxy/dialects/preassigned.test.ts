import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { mooncake } from "../../../src/proxy/dialects/mooncake.js";
import { queryEngineIds } from "../../../src/proxy/dialects/mooncake-bootstrap.js";
import { sglang } from "../../../src/proxy/dialects/sglang.js";
import { legContext, PREFILL } from "../support/leg-context.js";

const parse = (bytes: Buffer) => JSON.parse(bytes.toString()) as Record<string, unknown>;

describe("the Mooncake dialect", () => {
  const ids = new Map([
    [0, "engine-a"],
    [1, "engine-b"],
  ]);
  const dialect = mooncake(new Map([[PREFILL.origin, ids]]));

  it("gives both legs one transfer id", () => {
    const context = legContext("completions", { prompt: "x" });
    expect(parse(dialect.prefillBody(context))["kv_transfer_params"]).toEqual({
      do_remote_decode: true,
      do_remote_prefill: false,
      transfer_id: "xfer-req-1",
    });
    expect(parse(dialect.decodeLeg(context, null).body)).toEqual({
      prompt: "x",
      kv_transfer_params: {
        do_remote_decode: false,
        do_remote_prefill: true,
        transfer_id: "xfer-req-1",
        remote_bootstrap_addr: "http://10.0.0.1:8998",
        remote_engine_id: "engine-a",
      },
    });
  });

  it.each([
    [1, "engine-b"],
    [7, "engine-a"],
  ])("names the engine of rank %i", (rank, engine) => {
    const prefill = { ...PREFILL, rank, bootstrapPort: 9000 };
    const leg = parse(dialect.decodeLeg(legContext("completions", { prompt: "x" }, { prefill }), null).body);
    expect(leg["kv_transfer_params"]).toMatchObject({
      remote_engine_id: engine,
      remote_bootstrap_addr: "http://10.0.0.1:9000",
    });
  });

  it("asks each bootstrap server for its engine ids", async () => {
    const server = createServer((req, res) => {
      res.end(req.url === "/query" ? '{"0":{"engine_id":"e0"},"1":{"engine_id":"e1"}}' : "{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const address = { origin: "http://127.0.0.1:1", hostname: "127.0.0.1", rank: null, bootstrapPort: port };
    const found = await queryEngineIds([address, { ...address, rank: 1 }]);
    expect(found).toEqual(
      new Map([
        [
          address.origin,
          new Map([
            [0, "e0"],
            [1, "e1"],
          ]),
        ],
      ]),
    );
    server.close();
    server.closeAllConnections();
    await expect(queryEngineIds([address], 1)).rejects.toThrow(
      /Mooncake: http:\/\/127.*did not answer in 1 tries/,
    );
  });
});

describe("the SGLang dialect", () => {
  it("gives both legs the address of the bootstrap server and one room", () => {
    const context = legContext(
      "chat",
      { messages: [], stream: true },
      { prefill: { ...PREFILL, bootstrapPort: 9001 } },
    );
    const rendezvous = '"bootstrap_host":"10.0.0.1","bootstrap_port":9001,"bootstrap_room":9007199254740993';
    expect(sglang().handoff(context)).toBe("concurrent");
    expect(sglang().prefillBody(context).toString()).toContain(rendezvous);
    expect(sglang().decodeLeg(context, null).body.toString()).toBe(
      `{"messages":[],"stream":true,${rendezvous}}`,
    );
  });

  it("gives each of several sequences a room, within 63 bits", () => {
    const context = legContext("completions", { prompt: ["a", "b"], n: 1 }, { room: 2n ** 63n - 1n });
    expect(sglang().decodeLeg(context, null).body.toString()).toContain(
      '"bootstrap_port":[8998,8998],"bootstrap_room":[9223372036854775807,0]',
    );
  });
});

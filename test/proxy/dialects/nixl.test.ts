import { describe, expect, it } from "vitest";
import { nixl } from "../../../src/proxy/dialects/nixl.js";
import { nixlPush } from "../../../src/proxy/dialects/nixl-push.js";
import { legContext, PREFILL } from "../support/leg-context.js";

const pull = nixl({ remoteHost: "as_reported" });
const parse = (bytes: Buffer) => JSON.parse(bytes.toString()) as Record<string, unknown>;

const HANDLE =
  '{"do_remote_prefill":true,"do_remote_decode":false,"remote_engine_id":"e-1","remote_block_ids":[1,9007199254740993],' +
  '"remote_host":"0.0.0.0","remote_port":5600}';
const REPLY = Buffer.from(`{"id":"cmpl-1","choices":[],"kv_transfer_params": ${HANDLE} ,"usage":null}`);

describe("the NIXL dialect", () => {
  it("asks the prefill worker to hold its blocks, with every remote field null", () => {
    const body = parse(pull.prefillBody(legContext("completions", { prompt: "x", max_tokens: 8 })));
    expect(body).toEqual({
      prompt: "x",
      max_tokens: 1,
      stream: false,
      kv_transfer_params: {
        do_remote_decode: true,
        do_remote_prefill: false,
        remote_engine_id: null,
        remote_block_ids: null,
        remote_host: null,
        remote_port: null,
      },
    });
  });

  it("gives the decode worker the client's body and the handle, byte for byte", () => {
    const body = '{"prompt":"x","max_tokens":8,"stream":true,"seed":9007199254740993}';
    const { body: leg } = pull.decodeLeg(legContext("completions", body), REPLY);
    expect(leg.toString()).toBe(`${body.slice(0, -1)},"kv_transfer_params":${HANDLE}}`);
  });

  it("can name the host of the prefill URL in place of the one the engine reports", () => {
    const dialect = nixl({ remoteHost: "prefill_url" });
    const { body } = dialect.decodeLeg(legContext("completions", { prompt: "x" }), REPLY);
    expect(body.toString()).toContain('"remote_host":"10.0.0.1","remote_port":5600');
    expect(body.toString()).toContain("9007199254740993");
  });

  it.each([
    ["no handle", '{"choices":[]}'],
    ["a null handle", '{"kv_transfer_params":null}'],
  ])("leaves the client's body alone after a reply with %s", (_, reply) => {
    const context = legContext("completions", { prompt: "x", n: 1 });
    expect(pull.decodeLeg(context, Buffer.from(reply)).body).toEqual(context.body);
  });

  it("replaces a handle that the client made up, on both legs", () => {
    const context = legContext("completions", { prompt: "x", kv_transfer_params: { remote_host: "evil" } });
    expect(pull.prefillBody(context).toString()).not.toContain("evil");
    expect(pull.decodeLeg(context, REPLY).body.toString()).not.toContain("evil");
    expect(pull.decodeLeg(context, Buffer.from("{}")).body.toString()).toBe('{"prompt":"x"}');
  });
});

describe("the NIXL push dialect", () => {
  const context = legContext("completions", { prompt: "x" });
  const pushReply = Buffer.from(
    '{"kv_transfer_params":{"transfer_mode":"push","remote_engine_id":"e-1","remote_host":"h","remote_port":5600,"tp_size":2}}',
  );

  it("is sequential until the prefill engine has said that it pushes", () => {
    const dialect = nixlPush();
    expect(dialect.handoff(context)).toBe("sequential");
    dialect.learn!(context, REPLY);
    expect(dialect.handoff(context)).toBe("sequential");
    dialect.learn!(context, pushReply);
    expect(dialect.handoff(context)).toBe("concurrent");
  });

  it("knows each rank of a server by itself", () => {
    const dialect = nixlPush();
    dialect.learn!({ ...context, prefill: { ...PREFILL, rank: 1 } }, pushReply);
    expect(dialect.handoff({ ...context, prefill: { ...PREFILL, rank: 1 } })).toBe("concurrent");
    expect(dialect.handoff({ ...context, prefill: { ...PREFILL, rank: 0 } })).toBe("sequential");
  });

  it("names the engine and the request on a decode leg that does not wait", () => {
    const dialect = nixlPush();
    dialect.learn!(context, pushReply);
    expect(parse(dialect.decodeLeg(context, null).body)).toEqual({
      prompt: "x",
      kv_transfer_params: {
        do_remote_prefill: true,
        do_remote_decode: false,
        remote_engine_id: "e-1",
        remote_host: "h",
        remote_port: 5600,
        tp_size: 2,
        remote_request_id: "req-1",
      },
    });
  });
});

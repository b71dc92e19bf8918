import { describe, expect, it } from "vitest";
import { decoderRegistry } from "../../../src/proxy/dialects/decoder-registry.js";
import { lmcache } from "../../../src/proxy/dialects/lmcache.js";
import { DECODE, legContext } from "../support/leg-context.js";

const SPEC = { receiver_host: "d1", receiver_init_port: [7300], receiver_alloc_port: [7400] };
const dialect = lmcache(new Map([[DECODE.origin, SPEC]]));
const parse = (bytes: Buffer) => JSON.parse(bytes.toString()) as Record<string, unknown>;

function reply(changes: object = {}, choice: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      id: "cmpl-9",
      created: 17,
      model: "m",
      choices: [{ text: " the", finish_reason: "length", ...choice }],
      kv_transfer_params: { first_tok: 279 },
      ...changes,
    }),
  );
}

describe("the LMCache dialect", () => {
  it("tells the prefill worker where the chosen decode worker receives KV", () => {
    const body = parse(dialect.prefillBody(legContext("completions", { prompt: [1, 2], max_tokens: 9 })));
    expect(body["kv_transfer_params"]).toEqual({
      ret_first_tok: true,
      disagg_spec: { ...SPEC, req_id: "req-1" },
    });
    expect(body["max_tokens"]).toBe(1);
  });

  it("lets the decode worker continue a list of token ids behind the first token", () => {
    const context = legContext("completions", { prompt: [1, 2], max_tokens: 9, min_tokens: 4, stream: true });
    const { body, firstToken } = dialect.decodeLeg(context, reply());
    expect(parse(body)).toEqual({ prompt: [1, 2, 279], max_tokens: 8, min_tokens: 3, stream: true });
    expect(firstToken).toEqual({ text: " the", chunkHead: '"id":"cmpl-9","created":17,"model":"m"' });
  });

  it("takes vLLM's default limit where the client gave none", () => {
    const { body } = dialect.decodeLeg(legContext("completions", { prompt: [1] }), reply());
    expect(parse(body)).toEqual({ prompt: [1, 279], max_tokens: 15 });
  });

  it.each<[string, "completions" | "chat" | "generate", object, Buffer]>([
    ["a text prompt", "completions", { prompt: "abc" }, reply()],
    ["chat", "chat", { messages: [{ role: "user", content: "x" }] }, reply()],
    ["token in, token out", "generate", { token_ids: [1] }, reply()],
    ["a limit of one token", "completions", { prompt: [1], max_tokens: 1 }, reply()],
    ["log probabilities", "completions", { prompt: [1], logprobs: 2 }, reply()],
    ["an echo", "completions", { prompt: [1], echo: true }, reply()],
    ["generation that has stopped", "completions", { prompt: [1] }, reply({}, { finish_reason: "stop" })],
    ["no first token in the reply", "completions", { prompt: [1] }, reply({ kv_transfer_params: null })],
    ["a reply that is no JSON", "completions", { prompt: [1] }, Buffer.from("oops")],
  ])("sends the client's body as it is with %s", (_, api, body, answer) => {
    const context = legContext(api, body);
    expect(dialect.decodeLeg(context, answer)).toEqual({ body: context.body, firstToken: null });
  });
});

describe("the decoder registry", () => {
  const urls = ["http://d1:8200", "http://d2:8200"];

  it("takes the receiver of each decode URL from JSON, with or without a slash at its end", () => {
    const registry = JSON.stringify({
      "http://d1:8200/": SPEC,
      "http://d2:8200": { ...SPEC, receiver_init_port: 7301 },
    });
    const receivers = decoderRegistry({ registry }, urls);
    expect(receivers.get(urls[0]!)).toEqual(SPEC);
    expect(receivers.get(urls[1]!)).toEqual({ ...SPEC, receiver_init_port: [7301] });
  });

  it("takes one decoder from three flags", () => {
    const receivers = decoderRegistry({ host: "d1", initPort: "7300, 7301", allocPort: "7400,7401" }, [
      urls[0]!,
    ]);
    expect(receivers.get(urls[0]!)).toEqual({
      receiver_host: "d1",
      receiver_init_port: [7300, 7301],
      receiver_alloc_port: [7400, 7401],
    });
  });

  it.each([
    [
      "a decoder without a receiver",
      { registry: JSON.stringify({ "http://d1:8200": SPEC }) },
      /no receiver for http:\/\/d2/,
    ],
    ["half of the three flags", { host: "d1" }, /go together/],
    ["one receiver for two", { host: "d1", initPort: "1", allocPort: "2" }, /names one receiver for 2/],
    ["no JSON", { registry: "{" }, /--decoder-registry: .*expected JSON/],
    [
      "a wrong port",
      { registry: JSON.stringify({ "http://d1:8200": { ...SPEC, receiver_init_port: [0] } }) },
      /0 is not a port/,
    ],
    ["a list", { registry: "[]" }, /expected a JSON object/],
    ["a spec without a host", { registry: JSON.stringify({ x: {} }) }, /x: expected receiver_host/],
  ])("refuses %s", (_, flags, message) => {
    expect(() => decoderRegistry(flags, urls)).toThrow(message);
  });
});

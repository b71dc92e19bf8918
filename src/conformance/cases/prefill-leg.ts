import { chatBody, completionBody, generateBody } from "../bodies.js";
import { compareJson } from "../exact-json.js";
import type { ConformanceCase, Probe } from "../conformance-case.js";
import type { Leg } from "../wire.js";

/** What a client's request becomes on its way to the prefill worker. */
export const PREFILL_LEG_CASES: readonly ConformanceCase[] = [
  limitCase("max-tokens", "a completion's max_tokens is 1", (x, model) => [
    "/v1/completions",
    completionBody(x, model, '"max_tokens":64'),
  ]),
  limitCase("chat-max-tokens", "a chat's max_tokens is 1", (x, model) => [
    "/v1/chat/completions",
    chatBody(x, model, '"max_tokens":64'),
  ]),
  limitCase(
    "max-completion-tokens",
    "max_completion_tokens is 1, or gone where max_tokens is 1",
    (x, model) => ["/v1/chat/completions", chatBody(x, model, '"max_completion_tokens":64')],
  ),
  limitCase("both-limits", "neither limit is above 1 where the client gave both", (x, model) => [
    "/v1/chat/completions",
    chatBody(x, model, '"max_tokens":32,"max_completion_tokens":64'),
  ]),
  limitCase("no-limit", "one token is asked for though the client gave no limit", (x, model) => [
    "/v1/completions",
    completionBody(x, model, ""),
  ]),
  limitCase("chat-no-limit", "the same for chat", (x, model) => [
    "/v1/chat/completions",
    chatBody(x, model, ""),
  ]),
  limitCase(
    "generate-max-tokens",
    "sampling_params.max_tokens is 1 on /inference/v1/generate",
    (x, model) => ["/inference/v1/generate", generateBody(x, model, '{"max_tokens":64,"temperature":0}')],
  ),
  limitCase("responses-max-output-tokens", "max_output_tokens is 1 on /v1/responses", (x, model) => [
    "/v1/responses",
    `{"model":"${model}","input":"${x.marker} go on","max_output_tokens":64}`,
  ]),
  {
    name: "prefill-leg/min-tokens",
    rule: "min_tokens is gone, or at most 1: vLLM refuses more than max_tokens",
    async run(probe) {
      const leg = await prefillOf(probe, "/v1/completions", '"max_tokens":64,"min_tokens":32');
      checkMinTokens(probe, leg.json!["min_tokens"], "min_tokens");
    },
  },
  {
    name: "prefill-leg/generate-min-tokens",
    rule: "the same for sampling_params.min_tokens",
    async run(probe) {
      probe.needsShortPrefill();
      const x = probe.exchange();
      const sampling = '{"max_tokens":64,"min_tokens":32}';
      x.post("/inference/v1/generate", generateBody(x, probe.model, sampling));
      const leg = await disaggregated(probe, x);
      checkMinTokens(probe, memberOf(leg, "sampling_params", "min_tokens"), "sampling_params.min_tokens");
    },
  },
  {
    name: "prefill-leg/stream",
    rule: "the prefill leg does not stream, and has no stream_options, which vLLM refuses then",
    async run(probe) {
      const members = '"max_tokens":4,"stream":true,"stream_options":{"include_usage":true}';
      const { json } = await prefillOf(probe, "/v1/completions", members);
      probe.findings.check(json!["stream"] !== true, "stream is true on the prefill leg, expected false");
      probe.findings.check(
        (json!["stream_options"] ?? null) === null,
        `stream_options is ${JSON.stringify(json!["stream_options"])} on the prefill leg, expected none`,
      );
    },
  },
  {
    name: "prefill-leg/n",
    rule: "n above 1 is not prefilled several times",
    async run(probe) {
      probe.needsShortPrefill();
      const x = probe.exchange();
      x.post("/v1/completions", completionBody(x, probe.model, '"max_tokens":4,"n":2'));
      const decode = await x.leg("decode");
      await x.client!.over();
      probe.findings.check(
        decode.json!["n"] === 2,
        `n is ${String(decode.json!["n"])} on the decode leg, expected 2`,
      );
      const [prefill] = x.legs("prefill");
      if (prefill === undefined)
        probe.findings.note("a request for several answers went to a decode worker whole");
      else if (prefill.json!["n"] !== undefined && prefill.json!["n"] !== 1) {
        probe.findings.differ(
          "n is 2 on the prefill leg, which computes a token for each; all public routers leave it",
        );
      }
    },
  },
  {
    name: "prefill-leg/prompt",
    rule: "messages and tools reach the prefill worker as the client wrote them, in their order",
    async run(probe) {
      const { dialect } = probe.setup;
      const x = probe.exchange();
      const body = chatBody(x, probe.model, AWKWARD);
      x.post("/v1/chat/completions", body);
      const { prefill } = await probe.served(x);
      const ignored = new Set([
        ...dialect.members,
        ...LIMITS,
        "stream",
        "stream_options",
        "n",
        "min_tokens",
        "store",
      ]);
      for (const { kind, path, before, after } of compareJson(body, prefill.body.toString(), ignored)) {
        const message = `${path} was ${before} and became ${after || "nothing"} on the prefill leg`;
        // The template prints tools in the order of their members: another order is another prompt.
        if (kind === "added" || (kind === "order" && path === "(document)")) probe.findings.differ(message);
        else probe.findings.fail(message);
      }
    },
  },
  {
    name: "prefill-leg/kv-params",
    rule: "the prefill leg asks for its KV in the way of the dialect",
    async run(probe) {
      const x = probe.exchange();
      x.post("/v1/completions", completionBody(x, probe.model));
      probe.setup.dialect.checkPrefill((await probe.served(x)).prefill, probe.findings);
    },
  },
  {
    name: "prefill-leg/client-kv-params",
    rule: "kv_transfer_params of a client do not reach an engine as if the router had written them",
    async run(probe) {
      const x = probe.exchange();
      const forged =
        '"kv_transfer_params":{"do_remote_prefill":true,"do_remote_decode":false,"remote_host":"198.51.100.9"}';
      x.post("/v1/completions", completionBody(x, probe.model, `"max_tokens":4,${forged}`));
      const decode = await x.leg("decode");
      await x.client!.over();
      const reached = [...x.legs("prefill"), decode].filter(({ body }) => body.includes("198.51.100.9"));
      for (const { role } of reached) {
        probe.findings.differ(
          `a client's own kv_transfer_params reached the ${role} worker; production-stack #890 lets them through`,
        );
      }
    },
  },
];

const LIMITS = ["max_tokens", "max_completion_tokens", "max_output_tokens"] as const;

/** Numbers above 2^53, names that JavaScript reorders, escapes, and text outside ASCII. */
export const AWKWARD =
  '"max_tokens":4,"seed":9007199254740993,"temperature":0.70,"tools":[{"type":"function","function":{"name":"f",' +
  '"parameters":{"type":"object","properties":{"10":{"type":"string"},"2":{"type":"string"},"a":{"const":"caf\\u00e9 \\ud83d\\ude00"}}}}}]';

type BodyOf = (
  exchange: ReturnType<Probe["exchange"]>,
  model: string,
) => readonly [path: string, body: string];

/** A case: whichever field limits the answer, the prefill leg asks for exactly one token. */
function limitCase(name: string, rule: string, bodyOf: BodyOf): ConformanceCase {
  return {
    name: `prefill-leg/${name}`,
    rule,
    async run(probe) {
      probe.needsShortPrefill();
      const x = probe.exchange();
      x.post(...bodyOf(x, probe.model));
      checkOneToken(probe, await disaggregated(probe, x));
    },
  };
}

function checkOneToken(probe: Probe, leg: Leg): void {
  const limits = LIMITS.map((name): readonly [string, unknown] => [name, leg.json![name]]);
  if (leg.url.startsWith("/inference/")) {
    limits.push(["sampling_params.max_tokens", memberOf(leg, "sampling_params", "max_tokens")]);
  }
  const given = limits.filter(([, value]) => (value ?? null) !== null);
  for (const [name, value] of given) {
    probe.findings.check(value === 1, `${name} is ${JSON.stringify(value)} on the prefill leg, expected 1`);
  }
  probe.findings.check(given.length > 0, "nothing limits the prefill leg to one token");
}

function checkMinTokens(probe: Probe, value: unknown, name: string): void {
  probe.findings.check(
    (value ?? null) === null || value === 0 || value === 1,
    `${name} is ${JSON.stringify(value)} on the prefill leg, expected at most 1; ` +
      "llm-d, Ray and production-stack's orchestrated logic keep it, and vLLM answers 400",
  );
}

async function prefillOf(probe: Probe, path: string, members: string): Promise<Leg> {
  probe.needsShortPrefill();
  const x = probe.exchange();
  x.post(path, completionBody(x, probe.model, members));
  return disaggregated(probe, x);
}

/** The prefill leg of an exchange; skips the case where the router sent the request to a decode worker whole. */
async function disaggregated(probe: Probe, x: ReturnType<Probe["exchange"]>): Promise<Leg> {
  await x.client!.over();
  if (x.legs("prefill").length === 0 && x.client!.status === 200 && x.legs("decode").length > 0) {
    probe.needs(false, `the router does not disaggregate ${x.client!.sent.path}`);
  }
  return x.leg("prefill");
}

function memberOf(leg: Leg, outer: string, inner: string): unknown {
  const value = leg.json![outer];
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[inner] : undefined;
}

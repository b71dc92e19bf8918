import { sendDocument } from "../answerings.js";
import { chatBody, completionBody } from "../bodies.js";
import type { ConformanceCase, Probe } from "../conformance-case.js";
import { compareJson, isSpelling } from "../exact-json.js";
import { tokensOf } from "../answer-shapes.js";
import { nixl } from "../dialects/nixl.js";
import { AWKWARD } from "./prefill-leg.js";

/** What a client's request becomes on its way to the decode worker. */
export const DECODE_LEG_CASES: readonly ConformanceCase[] = [
  {
    name: "decode-leg/order",
    rule: "one prefill worker and one decode worker are asked once each, in the order of the dialect",
    async run(probe) {
      const x = probe.exchange();
      x.post("/v1/completions", completionBody(x, probe.model));
      const { prefill, decode } = await probe.served(x);
      const counts = [x.legs("prefill").length, x.legs("decode").length];
      probe.findings.check(
        counts.every((count) => count === 1),
        `${counts[0]} prefill and ${counts[1]} decode legs, expected one each`,
      );
      if (probe.setup.dialect.handoff === "sequential") {
        probe.findings.check(
          prefill.order < decode.order,
          "the decode worker was asked before the prefill worker",
        );
      }
    },
  },
  {
    name: "decode-leg/kv-params",
    rule: "the decode leg finds the KV of its prefill leg: handle relayed digit by digit, 63-bit ids included",
    async run(probe) {
      const { dialect, engines } = probe.setup;
      const x = probe.exchange();
      x.post("/v1/completions", completionBody(x, probe.model));
      const { prefill, decode } = await probe.served(x);
      dialect.checkPair(prefill, decode, probe.findings, engines);
    },
  },
  {
    name: "decode-leg/kv-params-chat-stream",
    rule: "the same for a streamed chat",
    async run(probe) {
      const { dialect, engines } = probe.setup;
      const x = probe.exchange();
      x.post("/v1/chat/completions", chatBody(x, probe.model, '"max_completion_tokens":4,"stream":true'));
      const { prefill, decode } = await probe.served(x);
      dialect.checkPair(prefill, decode, probe.findings, engines);
    },
  },
  {
    name: "decode-leg/no-handle",
    rule: "a prefill answer without a handle still gives the client its answer",
    async run(probe) {
      const { dialect } = probe.setup;
      probe.needs(dialect.relaysHandle, `${dialect.name} relays no handle`);
      const bare = { ...nixl, prefillReply: () => "" };
      const x = probe.exchange({
        prefill: (leg, response) => sendDocument(bare, leg, response, tokensOf(leg, 1)),
      });
      const { status } = await x.post("/v1/completions", completionBody(x, probe.model)).over();
      if (status !== 200) {
        probe.findings.differ(
          `the client got status ${status}; vllm-router, llm-d and Ray go on without the handle`,
        );
      }
    },
  },
  {
    name: "decode-leg/limits",
    rule: "the decode leg keeps the client's limits, and gets none where the client gave none",
    async run(probe) {
      for (const members of ['"max_tokens":7,"min_tokens":2,"n":1', '"max_completion_tokens":7', ""]) {
        const x = probe.exchange();
        const body = chatBody(x, probe.model, members);
        x.post("/v1/chat/completions", body);
        await x.leg("decode");
        await x.client!.over();
        const sent = JSON.parse(body) as Record<string, unknown>;
        for (const name of ["max_tokens", "max_completion_tokens", "min_tokens", "n"]) {
          const got = x.legs("decode")[0]!.json![name];
          if (got === sent[name]) continue;
          const change = `${name} was ${shown(sent[name])} and became ${shown(got)} on the decode leg`;
          probe.findings.fail(
            sent[name] === undefined
              ? `${change}; production-stack #890 does so, and vLLM refuses 0`
              : change,
          );
        }
      }
    },
  },
  {
    name: "decode-leg/body",
    rule: "everything else in the body reaches the decode worker as it is: digits, order, escapes, unknown members",
    async run(probe) {
      const x = probe.exchange();
      const body = chatBody(x, probe.model, `${AWKWARD},"future_field":{"b":[1.50,null],"a":{}}`);
      x.post("/v1/chat/completions", body);
      const { decode } = await probe.served(x);
      checkBody(probe, body, decode.body.toString());
    },
  },
];

function checkBody({ findings, setup }: Probe, sent: string, received: string): void {
  for (const difference of compareJson(sent, received, setup.dialect.members)) {
    const { kind, path, before, after } = difference;
    const message = `${path} was ${before} and became ${after || "nothing"} on the decode leg`;
    if (kind === "added") findings.differ(`${message}; vllm-router's typed bodies add defaults`);
    else if (kind === "order" && path === "(document)") findings.differ(message);
    else if (isSpelling(difference)) findings.differ(message);
    else findings.fail(message);
  }
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}

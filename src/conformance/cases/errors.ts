import { after, beginStream, dying, Gate, refusing, sendJson, writeEvents } from "../answerings.js";
import { tokensOf } from "../answer-shapes.js";
import { completionBody } from "../bodies.js";
import { eventsIn } from "../client-call.js";
import { outcomeOf, type ConformanceCase, type Probe } from "../conformance-case.js";
import type { Exchange } from "../exchange.js";
import { headerValues, type Role } from "../wire.js";
import { streamTextOf } from "./answer.js";

const STREAM = '"max_tokens":6,"stream":true';

/** What the client gets when a worker fails: before its first byte a status, after it the end of the stream. */
export const ERROR_CASES: readonly ConformanceCase[] = [
  {
    name: "errors/prefill-400",
    rule: "a prefill worker's 400 reaches the client with its message, and no decode worker is asked",
    hasFaults: true,
    async run(probe) {
      const x = await refused(probe, "prefill", 400, "prompt is too long for this model");
      checkStatus(probe, x, [400], "vllm-router's fork makes it 500");
      checkMessage(probe, x, "prompt is too long for this model");
      checkDecodeNotAsked(probe, x);
    },
  },
  {
    name: "errors/prefill-429",
    rule: "429 of all prefill workers reaches the client, Retry-After with it",
    hasFaults: true,
    async run(probe) {
      const x = await refused(probe, "prefill", 429, "the queue is full", { "retry-after": "1" });
      if (fallenBack(probe, x)) return;
      checkStatus(probe, x, [429, 503], "");
      if (headerValues(x.client!.rawHeaders, "retry-after").length === 0) {
        probe.findings.differ("Retry-After did not reach the client");
      }
    },
  },
  {
    name: "errors/prefill-503",
    rule: "503 of all prefill workers: the client gets a 5xx, or its answer from a decode worker alone",
    hasFaults: true,
    async run(probe) {
      const x = await refused(probe, "prefill", 503, "engine is starting");
      if (!fallenBack(probe, x)) checkStatus(probe, x, SERVER_ERRORS, "");
    },
  },
  {
    name: "errors/prefill-dies",
    rule: "prefill workers that close the connection: a 5xx, or the answer of a decode worker alone",
    hasFaults: true,
    async run(probe) {
      const x = probe.exchange({ prefill: dying });
      await x.post("/v1/completions", completionBody(x, probe.model, STREAM)).over();
      if (!fallenBack(probe, x)) checkStatus(probe, x, SERVER_ERRORS, "");
    },
  },
  {
    name: "errors/prefill-garbage",
    rule: "a prefill answer that is not JSON: a 5xx, or the answer of a decode worker alone",
    hasFaults: true,
    async run(probe) {
      const x = probe.exchange({ prefill: (_, response) => sendJson(response, 200, '{"choices":[{"te') });
      await x.post("/v1/completions", completionBody(x, probe.model, STREAM)).over();
      if (!fallenBack(probe, x)) checkStatus(probe, x, SERVER_ERRORS, "");
    },
  },
  {
    name: "errors/decode-400",
    rule: "a decode worker's 400 before the first byte keeps its status and message, for a stream too",
    hasFaults: true,
    async run(probe) {
      const x = await refused(probe, "decode", 400, "unknown logit bias");
      checkStatus(probe, x, [400], "production-stack answers 200 with an error in the body");
      checkMessage(probe, x, "unknown logit bias");
    },
  },
  {
    name: "errors/decode-503",
    rule: "503 of all decode workers before the first byte: the client gets a 5xx",
    hasFaults: true,
    async run(probe) {
      const x = await refused(probe, "decode", 503, "engine is starting");
      checkStatus(probe, x, SERVER_ERRORS, "production-stack answers 200 with an error in the body");
    },
  },
  {
    name: "errors/decode-dies-early",
    rule: "decode workers that close the connection before their answer: a 5xx",
    hasFaults: true,
    async run(probe) {
      const x = probe.exchange({ decode: dying });
      await x.post("/v1/completions", completionBody(x, probe.model, STREAM)).over();
      checkStatus(probe, x, SERVER_ERRORS, "production-stack answers 200 with an error in the body");
    },
  },
  {
    name: "errors/decode-dies-at-headers",
    rule: "a decode worker that dies between its headers and its first byte does not look like a success",
    hasFaults: true,
    async run(probe) {
      const gate = new Gate();
      const x = probe.exchange({
        decode: async (_, response) => {
          beginStream(response);
          await gate.opened;
          response.socket?.resetAndDestroy();
        },
      });
      const call = x.post("/v1/completions", completionBody(x, probe.model, STREAM));
      await x.leg("decode");
      gate.open();
      await call.over();
      if (call.status !== 200) checkStatus(probe, x, SERVER_ERRORS, "");
      else checkBrokenStream(probe, x);
    },
  },
  {
    name: "errors/decode-dies-late",
    rule: "a stream that breaks after its first byte ends in an error event or a broken connection, never in [DONE]",
    hasFaults: true,
    async run(probe) {
      const gate = new Gate();
      const x = probe.exchange({
        decode: async (leg, response) => {
          beginStream(response);
          writeEvents(leg, response, tokensOf(leg, 2), false);
          await gate.opened;
          response.socket?.resetAndDestroy();
        },
      });
      const call = x.post("/v1/completions", completionBody(x, probe.model, STREAM));
      try {
        await call.has(`t${x.number}.1;`);
      } finally {
        gate.open();
      }
      await call.over();
      const text = streamTextOf(call);
      probe.findings.check(
        text === ` t${x.number}.0; t${x.number}.1;`,
        `the client's text is ${JSON.stringify(text)}, expected the two tokens that were sent, once`,
      );
      checkBrokenStream(probe, x);
      probe.findings.check(
        x.legs("decode").length === 1,
        `${x.legs("decode").length} decode legs: nothing may be tried again once the client has tokens`,
      );
    },
  },
  {
    name: "errors/error-event",
    rule: "an error that the engine puts into its stream reaches the client as it is",
    hasFaults: true,
    async run(probe) {
      const event =
        '{"error":{"message":"engine core died","type":"InternalServerError","param":null,"code":500}}';
      const x = probe.exchange({
        decode: (leg, response) => {
          beginStream(response);
          writeEvents(leg, response, tokensOf(leg, 1), false);
          response.end(`data: ${event}\n\ndata: [DONE]\n\n`);
        },
      });
      const call = await x.post("/v1/completions", completionBody(x, probe.model, STREAM)).over();
      probe.findings.check(
        eventsIn(call.text).includes(event),
        `the error event did not reach the client: ${call.text.slice(-200)}`,
      );
    },
  },
  {
    name: "errors/not-json",
    rule: "a body that is not JSON is refused with 400, by the router or an engine",
    async run(probe) {
      const x = probe.exchange();
      const call = await x.post("/v1/completions", `{"prompt":"${x.marker}",oops`).over();
      probe.findings.check(
        call.status !== null && call.status >= 400 && call.status < 500,
        `the client got ${outcomeOf(call.status, call.state)}, expected 400; production-stack answers 500`,
      );
      if (call.status !== 400) probe.findings.differ(`the client got status ${call.status}, vLLM says 400`);
      checkEnvelope(probe, call.text);
    },
  },
];

const SERVER_ERRORS: readonly number[] = [500, 502, 503, 504];

/** An exchange in which every worker of a role refuses. */
async function refused(
  probe: Probe,
  role: Role,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Exchange> {
  // A decode worker that is asked at the same time waits for KV that will not come.
  const gate = new Gate();
  const waits = status === 400 && role === "prefill" && probe.setup.dialect.handoff !== "sequential";
  const x = probe.exchange({
    ...(waits ? { decode: after(gate, refusing(500, "its KV never came")) } : {}),
    [role]: refusing(status, message, headers),
  });
  try {
    await x.post("/v1/completions", completionBody(x, probe.model, STREAM)).over();
  } finally {
    gate.open();
  }
  return x;
}

function checkStatus({ findings }: Probe, x: Exchange, wanted: readonly number[], known: string): void {
  const { status, state } = x.client!;
  if (status !== null && wanted.includes(status)) return;
  findings.fail(
    `the client got ${outcomeOf(status, state)}, expected ${wanted.join(", ")}${known === "" ? "" : `; ${known}`}`,
  );
}

function checkMessage({ findings }: Probe, x: Exchange, message: string): void {
  const { text } = x.client!;
  findings.check(
    text.includes(message),
    `the engine's message is lost; the client got ${text.slice(0, 200)}`,
  );
  checkEnvelope({ findings }, text);
}

function checkEnvelope({ findings }: Pick<Probe, "findings">, text: string): void {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    if (typeof error?.message === "string") return;
  } catch {
    // Not JSON, which is said below.
  }
  findings.differ(`the error is not in OpenAI's form {"error":{"message":...}}: ${text.slice(0, 120)}`);
}

function checkDecodeNotAsked({ findings, setup }: Probe, x: Exchange): void {
  if (setup.dialect.handoff !== "sequential" || x.legs("decode").length === 0) return;
  findings.fail("a decode worker was asked for what the prefill worker had refused; vllm-router does so");
}

/** True when the client has a whole answer after all; that is said, not blamed. */
function fallenBack({ findings }: Probe, x: Exchange): boolean {
  const { status, state, text } = x.client!;
  if (status !== 200 || state !== "complete" || !text.includes("[DONE]") || text.includes('"error"'))
    return false;
  findings.note(
    `answered all the same after ${x.legs("prefill").length} prefill legs, by a decode worker alone`,
  );
  return true;
}

function checkBrokenStream({ findings }: Probe, x: Exchange): void {
  const { state, text } = x.client!;
  const events = eventsIn(text);
  const hasError = events.some((event) => event.includes('"error"'));
  findings.check(!events.includes("[DONE]"), "the stream ends in [DONE], as if it were complete");
  if (hasError) return;
  if (state === "broken") {
    findings.differ("the connection broke without an error event; most routers do so");
  } else findings.fail("the stream ends without an error, as if it were complete");
}

import {
  after,
  beginStream,
  endStream,
  Gate,
  likeVllm,
  PREFILL_CACHED,
  PROMPT_TOKENS,
  writeEvents,
} from "../answerings.js";
import { shapeOf, tokensOf } from "../answer-shapes.js";
import { chatBody, completionBody, generateBody } from "../bodies.js";
import { eventsIn, type ClientCall } from "../client-call.js";
import type { ConformanceCase, Probe } from "../conformance-case.js";
import type { Exchange } from "../exchange.js";
import { headerValues } from "../wire.js";

const STREAM = '"max_tokens":6,"stream":true';

/** What the client gets of a request that goes well. */
export const ANSWER_CASES: readonly ConformanceCase[] = [
  {
    name: "answer/document",
    rule: "a JSON answer is the decode worker's: all tokens once, in order",
    async run(probe) {
      const x = probe.exchange();
      x.post("/v1/completions", completionBody(x, probe.model, '"max_tokens":6'));
      await probe.served(x);
      checkText(probe, x, textOf(x.client!), 6);
      checkType(probe, x.client!, "application/json");
    },
  },
  streamCase(
    "stream",
    "a stream holds every token once, in order, and ends in [DONE]",
    "/v1/completions",
    (x, model) => completionBody(x, model, STREAM),
  ),
  streamCase("chat-stream", "the same for chat, role first", "/v1/chat/completions", (x, model) =>
    chatBody(x, model, STREAM),
  ),
  {
    name: "answer/generate",
    rule: "/inference/v1/generate gives the decode worker's token ids",
    async run(probe) {
      const x = probe.exchange();
      const { status, text } = await x
        .post("/inference/v1/generate", generateBody(x, probe.model, '{"max_tokens":5}'))
        .over();
      probe.needs(status !== 404 && status !== 405, `the router has no /inference/v1/generate: ${status}`);
      probe.findings.check(status === 200, `the client got status ${status}`);
      probe.findings.check(
        text.includes('"token_ids":[100,101,102,103,104]'),
        `the ids became ${text.slice(0, 200)}`,
      );
    },
  },
  {
    name: "answer/as-it-comes",
    rule: "each chunk goes on as it comes: the client has the first token before the engine makes the second",
    async run(probe) {
      const gate = new Gate();
      const x = probe.exchange({
        decode: async (leg, response) => {
          const tokens = tokensOf(leg, 6);
          beginStream(response);
          response.write(`data: ${shapeOf(leg).event(tokens[0]!, false)}\n\n`);
          await gate.opened;
          if (response.destroyed) return;
          writeEvents(leg, response, tokens.slice(1));
          endStream(leg, response, tokens.length);
        },
      });
      try {
        const call = x.post("/v1/completions", completionBody(x, probe.model, STREAM));
        await x.leg("decode");
        await call.has(`t${x.number}.0;`);
      } finally {
        gate.open();
      }
      checkText(probe, x, streamTextOf(await x.client!.over()), 6);
    },
  },
  {
    name: "answer/split-events",
    rule: "events that arrive in pieces, cut inside a character, come out whole",
    async run(probe) {
      const x = probe.exchange({
        decode: async (leg, response) => {
          beginStream(response);
          const events = ["caf\u00e9 ", "\u6f22\u5b57 ", "\ud83d\ude00"].map(
            (text, i) => `data: ${shapeOf(leg).event(text, i === 2)}\n\n`,
          );
          for (const byte of Buffer.from(`${events.join("")}data: [DONE]\n\n`)) {
            response.write(Buffer.of(byte));
            await new Promise((resolve) => setImmediate(resolve));
          }
          response.end();
        },
      });
      const call = await x.post("/v1/completions", completionBody(x, probe.model, STREAM)).over();
      const text = streamTextOf(call);
      probe.findings.check(
        text === "caf\u00e9 \u6f22\u5b57 \ud83d\ude00",
        `the text became ${JSON.stringify(text)}`,
      );
    },
  },
  {
    name: "answer/usage",
    rule: "usage of a JSON answer counts the client's prompt and tokens",
    async run(probe) {
      const x = probe.exchange();
      x.post("/v1/completions", completionBody(x, probe.model, '"max_tokens":6'));
      await probe.served(x);
      checkUsage(probe, usageIn(x.client!.text), 6);
    },
  },
  {
    name: "answer/usage-stream",
    rule: "include_usage adds one event without choices, behind the tokens and before [DONE]",
    async run(probe) {
      const x = probe.exchange();
      const members = `${STREAM},"stream_options":{"include_usage":true}`;
      x.post("/v1/chat/completions", chatBody(x, probe.model, members));
      await probe.served(x);
      const events = eventsIn(x.client!.text);
      const at = events.findIndex((event) => event.includes('"choices":[]'));
      probe.findings.check(
        at === events.length - 2 && events.at(-1) === "[DONE]",
        `the event with the usage is number ${at + 1} of ${events.length}, expected the last but one`,
      );
      if (at >= 0) checkUsage(probe, usageIn(events[at]!), 6);
    },
  },
  {
    name: "answer/no-usage-unasked",
    rule: "a stream whose client did not ask for usage has no event without choices",
    async run(probe) {
      const x = probe.exchange();
      x.post("/v1/completions", completionBody(x, probe.model, STREAM));
      await probe.served(x);
      probe.findings.check(
        !x.client!.text.includes('"choices":[]'),
        "the client got a usage event it did not ask for",
      );
    },
  },
  {
    name: "answer/one-token",
    rule: "a request for one token still gets its answer from a decode worker",
    async run(probe) {
      const x = probe.exchange();
      const { status } = await x
        .post("/v1/completions", completionBody(x, probe.model, '"max_tokens":1'))
        .over();
      probe.findings.check(status === 200, `the client got status ${status}`);
      checkText(probe, x, textOf(x.client!), 1);
    },
  },
  {
    name: "answer/together",
    rule: "24 requests at once each get their own tokens, with the handle of their own prefill leg",
    async run(probe) {
      const { dialect, engines } = probe.setup;
      const gates = { prefill: new Gate(), decode: new Gate() };
      const all = Array.from({ length: 24 }, () => {
        const x = probe.exchange({
          prefill: after(gates.prefill, likeVllm(dialect)),
          decode: after(gates.decode, (leg, response) => {
            beginStream(response);
            const tokens = tokensOf(leg, 6);
            writeEvents(leg, response, tokens);
            endStream(leg, response, tokens.length);
          }),
        });
        x.post("/v1/completions", completionBody(x, probe.model, STREAM));
        return x;
      });
      try {
        for (const role of ["prefill", "decode"] as const) {
          await Promise.all(all.map((x) => x.leg(role)));
          gates[role].open();
        }
      } finally {
        gates.prefill.open();
        gates.decode.open();
      }
      for (const x of all) {
        const { prefill, decode } = await probe.served(x);
        checkText(probe, x, streamTextOf(x.client!), 6);
        dialect.checkPair(prefill, decode, probe.findings, engines);
      }
    },
  },
];

type BodyOf = (exchange: Exchange, model: string) => string;

function streamCase(name: string, rule: string, path: string, bodyOf: BodyOf): ConformanceCase {
  return {
    name: `answer/${name}`,
    rule,
    async run(probe) {
      const x = probe.exchange();
      x.post(path, bodyOf(x, probe.model));
      await probe.served(x);
      checkText(probe, x, streamTextOf(x.client!), 6);
      const events = eventsIn(x.client!.text);
      probe.findings.check(
        events.at(-1) === "[DONE]",
        `the last event is ${events.at(-1) ?? "missing"}, expected [DONE]`,
      );
      if (path.includes("chat")) {
        probe.findings.check(
          events[0]?.includes('"role"') === true,
          "the first event does not name the role",
        );
      }
      checkType(probe, x.client!, "text/event-stream");
    },
  };
}

function checkText({ findings }: Probe, x: Exchange, text: string, count: number): void {
  const wanted = Array.from({ length: count }, (_, i) => ` t${x.number}.${i};`).join("");
  findings.check(
    text === wanted,
    `the client's text is ${JSON.stringify(text)}, expected ${JSON.stringify(wanted)}`,
  );
}

function checkType({ findings }: Probe, { rawHeaders }: ClientCall, wanted: string): void {
  const type = headerValues(rawHeaders, "content-type")[0] ?? "absent";
  if (!type.startsWith(wanted)) {
    findings.differ(
      `content-type is ${type}, expected ${wanted}; production-stack always says application/json`,
    );
  }
}

function checkUsage(
  { findings }: Probe,
  usage: Readonly<Record<string, unknown>> | null,
  tokens: number,
): void {
  if (usage === null) {
    findings.fail("there is no usage");
    return;
  }
  findings.check(
    usage["prompt_tokens"] === PROMPT_TOKENS && usage["completion_tokens"] === tokens,
    `usage is ${JSON.stringify(usage)}, expected ${PROMPT_TOKENS} prompt and ${tokens} completion tokens`,
  );
  const details = usage["prompt_tokens_details"] as { cached_tokens?: number } | null | undefined;
  const cached = details?.cached_tokens;
  if (cached === PROMPT_TOKENS) {
    findings.differ(
      "cached_tokens is the decode worker's, which counts received KV as cached; vllm-router puts the prefill worker's there",
    );
  } else {
    findings.check(
      cached === undefined || cached === PREFILL_CACHED,
      `cached_tokens is ${cached}, expected the prefill worker's ${PREFILL_CACHED}`,
    );
  }
}

function usageIn(text: string): Readonly<Record<string, unknown>> | null {
  const parsed = parsedIn(text);
  return (parsed?.["usage"] ?? null) as Readonly<Record<string, unknown>> | null;
}

/** The text of a completion. */
function textOf({ text }: ClientCall): string {
  return piece(parsedIn(text));
}

/** The text of a stream. */
export function streamTextOf({ text }: ClientCall): string {
  return eventsIn(text)
    .map((event) => piece(parsedIn(event)))
    .join("");
}

interface Choice {
  readonly text?: string;
  readonly delta?: { readonly content?: string | null };
}

function piece(parsed: Readonly<Record<string, unknown>> | null): string {
  const [choice] = (parsed?.["choices"] ?? []) as readonly Choice[];
  return choice?.text ?? choice?.delta?.content ?? "";
}

function parsedIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
}

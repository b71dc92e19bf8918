import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOfLastEvent, EventGate } from "../../src/proxy/event-gate.js";
import { countFirstTokenInEvents, firstTokenEvent, prependFirstToken } from "../../src/proxy/first-token.js";
import { CachedTokens } from "../../src/proxy/usage.js";

describe("the gate of whole events", () => {
  it.each([
    ["data: a\n\n", 9],
    ["data: a\n\ndata: b", 9],
    ["data: a\r\n\r\n", 11],
    ["data: a\n", 0],
    ["\n", 0],
    ["", 0],
    ["\n\n", 2],
  ])("%j ends its last event at %i", (text, end) => {
    expect(endOfLastEvent(Buffer.from(text))).toBe(end);
  });

  it("passes whole events on as the same bytes", () => {
    const chunk = Buffer.from("data: a\n\n");
    expect(new EventGate().push(chunk)).toBe(chunk);
  });

  it("never ends in the middle of an event, and loses nothing, however a stream is cut", () => {
    const stream = fc.array(fc.constantFrom("data: x", "\n", "\n\n", "\r\n\r\n", ": c", "é"), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(stream, fc.array(fc.nat(5)), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(""));
        const gate = new EventGate();
        let out = Buffer.alloc(0);
        let at = 0;
        for (let i = 0; at < bytes.length; i++) {
          const next = at + 1 + (cuts[i % Math.max(1, cuts.length)] ?? 2);
          const passed = gate.push(bytes.subarray(at, next));
          if (passed !== null) out = Buffer.concat([out, passed]);
          expect(endOfLastEvent(out)).toBe(out.length);
          at = next;
        }
        expect(Buffer.concat([out, gate.flush() ?? Buffer.alloc(0)])).toEqual(bytes);
      }),
    );
  });

  it("passes an event of more than a megabyte on in parts, and says so", () => {
    const gate = new EventGate();
    const big = Buffer.from(`data: done\n\ndata: ${"x".repeat(1 << 21)}`);
    expect(gate.push(big)).toBe(big);
    expect(gate.isMidEvent).toBe(true);
    expect(gate.push(Buffer.from("y\n\n"))?.toString()).toBe("y\n\n");
    expect(gate.isMidEvent).toBe(false);
  });
});

describe("cached tokens in usage", () => {
  const usage = (cached: number | null) =>
    `{"usage":{"prompt_tokens":9,"prompt_tokens_details":${cached === null ? "null" : `{"cached_tokens":${cached}}`}}}`;
  const learned = (reply: string) => {
    const cached = new CachedTokens();
    cached.learn(Buffer.from(reply));
    return cached;
  };

  it("are those the prefill worker found, in a document and in events", () => {
    const cached = learned(usage(4));
    expect(cached.inDocument(Buffer.from(usage(8))).toString()).toBe(usage(4));
    const events = `data: {"choices":[{"text":"x"}]}\n\ndata: ${usage(8)}\n\ndata: [DONE]\n\n`;
    expect(cached.inEvents(Buffer.from(events)).toString()).toBe(events.replace(usage(8), usage(4)));
  });

  it("are unknown where the prefill worker does not tell", () => {
    expect(
      learned(usage(null))
        .inDocument(Buffer.from(usage(8)))
        .toString(),
    ).toBe(usage(null));
    expect(
      learned("{}")
        .inDocument(Buffer.from(usage(8)))
        .toString(),
    ).toBe(usage(null));
  });

  it("are not looked for in generated text", () => {
    const text =
      'data: {"choices":[{"text":"\\"cached_tokens\\" and \\"usage\\""}],"note":"\\"cached_tokens\\""}\n\n';
    expect(learned(usage(4)).inEvents(Buffer.from(text)).toString()).toBe(text);
  });
});

describe("a first token that came from the prefill worker", () => {
  const token = { text: ' "the"', chunkHead: '"id":"c"' };

  it("is the first event of a stream", () => {
    const event = firstTokenEvent(token).toString();
    expect(event.endsWith("\n\n")).toBe(true);
    expect(JSON.parse(event.slice(6))).toEqual({
      id: "c",
      object: "text_completion",
      choices: [{ index: 0, text: ' "the"', logprobs: null, finish_reason: null }],
    });
  });

  it("is counted as generated, not as prompt", () => {
    const event = (prompt: number, completion: number) =>
      Buffer.from(
        `data: {"choices":[],"usage":{"prompt_tokens":${prompt},"completion_tokens":${completion}}}\n\n`,
      );
    expect(countFirstTokenInEvents(event(9, 4))).toEqual(event(8, 5));
  });

  it("stands in front of the text of a document", () => {
    const document = (text: string, prompt: number, completion: number) =>
      JSON.stringify({
        id: 1,
        choices: [{ index: 0, text }],
        usage: { prompt_tokens: prompt, completion_tokens: completion },
      });
    const joined = prependFirstToken(Buffer.from(document(" end\n", 5, 2)), token).toString();
    expect(joined).toBe(document(' "the" end\n', 4, 3));
  });
});

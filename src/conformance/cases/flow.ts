import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { beginStream } from "../answerings.js";
import { completionBody } from "../bodies.js";
import type { ConformanceCase } from "../conformance-case.js";

/** More than all buffers between an engine and a client that does not read, unless somebody keeps everything. */
const FLOOD_BYTES = 96 << 20;
const PIECE = Buffer.from(`data: ${"x".repeat((1 << 16) - 8)}\n\n`);
/** An engine that cannot write for so long is held back. */
const STALL_MS = 500;

/** How bytes flow: large, slow, and under a client that does not read. */
export const FLOW_CASES: readonly ConformanceCase[] = [
  {
    name: "flow/large-prompt",
    rule: "a prompt of a megabyte reaches both workers whole",
    async run(probe) {
      const x = probe.exchange();
      const text = "word ".repeat(200_000);
      x.post("/v1/completions", `{"model":"${probe.model}","prompt":"${x.marker} ${text}","max_tokens":4}`);
      const { prefill, decode } = await probe.served(x);
      for (const leg of [prefill, decode]) {
        const prompt = String(leg.json!["prompt"]);
        probe.findings.check(
          prompt === `${x.marker} ${text}`,
          `the ${leg.role} worker got a prompt of ${prompt.length} characters, expected ${x.marker.length + 1 + text.length}`,
        );
      }
    },
  },
  {
    name: "flow/long-stream",
    rule: "2,000 chunks arrive, complete and in order",
    async run(probe) {
      const x = probe.exchange();
      const call = x.post(
        "/v1/completions",
        completionBody(x, probe.model, '"max_tokens":2000,"stream":true'),
      );
      await call.over();
      const found = [...call.text.matchAll(/ t\d+\.(\d+);/g)].map((match) => Number(match[1]));
      const isInOrder = found.every((number, i) => number === i);
      probe.findings.check(
        found.length === 2000 && isInOrder,
        `${found.length} chunks arrived${isInOrder ? "" : ", not in order"}`,
      );
    },
  },
  {
    name: "flow/back-pressure",
    rule: "a client that does not read holds the engine back, rather than filling the router's memory",
    async run(probe) {
      const x = probe.exchange({
        decode: async (_, response) => {
          beginStream(response);
          probe.findings.check(
            await isHeldBack(response),
            `the engine could write ${FLOOD_BYTES >> 20} MiB to a client that reads nothing`,
          );
          x.client!.readOn();
          response.end("data: [DONE]\n\n");
        },
      });
      const call = x.post("/v1/completions", completionBody(x, probe.model, '"max_tokens":6,"stream":true'));
      // Nothing is read before the client's first "data", which `stopReading` prevents.
      await call.begun();
      call.stopReading();
      await call.over();
      probe.findings.check(
        call.text.endsWith("data: [DONE]\n\n"),
        "the stream did not end well once the client read on",
      );
    },
  },
];

/** Writes until the router takes no more for a while. False when it took everything. */
async function isHeldBack(response: ServerResponse): Promise<boolean> {
  for (let bytes = 0; bytes < FLOOD_BYTES; bytes += PIECE.length) {
    if (response.destroyed) return true;
    if (response.write(PIECE)) continue;
    const stalled = AbortSignal.timeout(STALL_MS);
    try {
      await once(response, "drain", { signal: stalled });
    } catch {
      return true;
    }
  }
  return false;
}

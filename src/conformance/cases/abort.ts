import { after, beginStream, Gate, refusing, writeEvents } from "../answerings.js";
import { tokensOf } from "../answer-shapes.js";
import { completionBody } from "../bodies.js";
import type { ConformanceCase, Probe } from "../conformance-case.js";
import type { Exchange } from "../exchange.js";
import type { Answers } from "../wire.js";

/** A client that leaves: whatever still runs for it is stopped, and nothing more is started. */
export const ABORT_CASES: readonly ConformanceCase[] = [
  abortCase(
    "during-prefill",
    "during prefill: the prefill leg is cut, and no decode worker is asked",
    "prefill",
    true,
  ),
  abortCase("before-first-token", "before the first token: the decode leg is cut", "decode", true),
  abortCase("document", "while its JSON answer is made: the decode leg is cut", "decode", false),
  {
    name: "abort/mid-stream",
    rule: "in mid-stream: the decode leg is cut",
    async run(probe) {
      const x = probe.exchange({
        decode: (leg, response) => {
          beginStream(response);
          writeEvents(leg, response, tokensOf(leg, 1), false);
        },
      });
      const call = x.post("/v1/completions", completionBody(x, probe.model, '"max_tokens":6,"stream":true'));
      const leg = await x.leg("decode");
      await call.has(`t${x.number}.0;`);
      call.leave();
      await x.cut(leg);
    },
  },
  {
    name: "abort/both-legs",
    rule: "while both legs run: both are cut",
    async run(probe) {
      const { dialect } = probe.setup;
      probe.needs(
        dialect.handoff === "concurrent",
        `with ${dialect.name} the legs do not have to run together`,
      );
      const gate = new Gate();
      const held = after(gate, refusing(500, "never sent"));
      const x = probe.exchange({ prefill: held, decode: held });
      const call = x.post("/v1/completions", completionBody(x, probe.model));
      const legs = await Promise.all([x.leg("prefill"), x.leg("decode")]);
      call.leave();
      try {
        for (const leg of legs) await x.cut(leg);
      } finally {
        gate.open();
      }
    },
  },
];

/** The client leaves while a leg of `role` is held. */
function abortCase(
  name: string,
  rule: string,
  role: "prefill" | "decode",
  streams: boolean,
): ConformanceCase {
  return {
    name: `abort/${name}`,
    rule,
    async run(probe) {
      const gate = new Gate();
      const x = probe.exchange(heldAnswers(probe, role, gate));
      const members = `"max_tokens":6,"stream":${streams}`;
      const call = x.post("/v1/completions", completionBody(x, probe.model, members));
      const leg = await x.leg(role);
      call.leave();
      try {
        await x.cut(leg);
        for (const other of x.legs("decode")) await x.cut(other);
        await checkNothingMore(probe, x, role);
      } finally {
        gate.open();
      }
    },
  };
}

/**
 * Holds the legs of `role`. A decode worker that was asked before prefill is done has nothing to answer with, so
 * that its legs are held with those of the prefill workers.
 */
function heldAnswers({ setup }: Probe, role: "prefill" | "decode", gate: Gate): Answers {
  const held = after(gate, refusing(500, "never sent"));
  if (role === "decode") return { decode: held };
  return setup.dialect.handoff === "sequential" ? { prefill: held } : { prefill: held, decode: held };
}

/** After prefill was given up, a request of another client shows that the router has gone on. */
async function checkNothingMore(probe: Probe, x: Exchange, role: "prefill" | "decode"): Promise<void> {
  const other = probe.exchange();
  other.post("/v1/completions", completionBody(other, probe.model));
  await probe.served(other);
  if (role === "decode" || probe.setup.dialect.handoff !== "sequential") return;
  probe.findings.check(x.legs("decode").length === 0, "a decode worker was asked for a client that had left");
}

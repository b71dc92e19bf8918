import { textAt } from "../exact-json.js";
import type { Leg } from "../wire.js";
import type { KitDialect } from "./kit-dialect.js";

const MEMBERS = ["bootstrap_host", "bootstrap_port", "bootstrap_room"] as const;
const ROOMS_END = 2n ** 63n;

/** SGLang bootstrap: both legs at once, with the prefill worker's bootstrap server and a room in common. */
export const sglang: KitDialect = {
  name: "sglang",
  handoff: "concurrent",
  shortensPrefill: false,
  members: new Set(MEMBERS),
  relaysHandle: false,
  prefillReply: () => "",
  checkPrefill: (prefill, findings) => {
    for (const name of MEMBERS) {
      findings.check(textOf(prefill, name) !== null, `the prefill leg has no ${name}`);
    }
    const room = textOf(prefill, "bootstrap_room");
    findings.check(
      room !== null && /^\d+$/.test(room) && BigInt(room) < ROOMS_END,
      `bootstrap_room is ${String(room)}, expected a whole number below 2^63`,
    );
  },
  checkPair: (prefill, decode, findings) => {
    for (const name of MEMBERS) {
      const [a, b] = [textOf(prefill, name), textOf(decode, name)];
      findings.check(
        a === b,
        `${name} is ${String(a)} on the prefill leg and ${String(b)} on the decode leg`,
      );
    }
  },
};

function textOf(leg: Leg, name: string): string | null {
  return textAt(leg.body.toString(), [name]);
}

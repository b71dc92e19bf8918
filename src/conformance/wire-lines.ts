import type { ClientCall } from "./client-call.js";
import { outcomeOf } from "./conformance-case.js";
import type { Exchange } from "./exchange.js";
import { headerValues, type Leg } from "./wire.js";

const TEXT_LENGTH = 600;
/** Headers that a reader of a leg wants to see. */
const SHOWN = ["x-request-id", "x-data-parallel-rank", "authorization", "x-session-id"];

/** What was seen on the wire of an exchange: the client's request, each leg in order, the client's answer. */
export function wireLines({ client, all }: Exchange): string[] {
  if (client === null) return [];
  const { method, path, body } = client.sent;
  return [
    `client -> router     ${method} ${path} ${shortened(body)}`,
    ...all.map((leg) => `router -> ${leg.engine.padEnd(10)} ${legText(leg)}`),
    `client <- router     ${answerText(client)}`,
  ];
}

function legText(leg: Leg): string {
  const headers = SHOWN.flatMap((name) => {
    const values = headerValues(leg.rawHeaders, name);
    return values.length === 0 ? [] : [`${name}: ${values.join(", ")}`];
  });
  const end =
    leg.state === "answered" ? `answered ${leg.status}` : leg.state === "cut" ? "cut" : "still open";
  const shown = headers.length === 0 ? "" : `[${headers.join("; ")}] `;
  return `${leg.method} ${leg.url} ${shown}${shortened(leg.body.toString())} (${end})`;
}

function answerText({ status, state, text }: ClientCall): string {
  if (state === "open") return status === null ? "nothing" : `${status}, not complete: ${shortened(text)}`;
  return `${outcomeOf(status, state)}: ${shortened(text)}`;
}

function shortened(text: string): string {
  const shown =
    text.length <= TEXT_LENGTH ? text : `${text.slice(0, TEXT_LENGTH)}... (${text.length} characters)`;
  return shown.replaceAll("\r", "\\r").replaceAll("\n", "\\n");
}

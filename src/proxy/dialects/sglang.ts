import { sequencesOf } from "../handover.js";
import { spliceJson, type JsonEdit } from "../json-splice.js";
import type { Dialect, LegContext } from "./dialect.js";
import { prefillLegEdits } from "./prefill-leg.js";

const DEFAULT_BOOTSTRAP_PORT = 8998;

/**
 * SGLang bootstrap: both legs at once, each with the address of the prefill worker's bootstrap server and a
 * room in which the engines meet. Several sequences get a room each.
 *
 * Source: SGLang's mini load balancer, vllm-router 0.1.14 `pd_router`. Rooms are 63-bit numbers.
 */
export function sglang(): Dialect {
  return {
    name: "sglang",
    maxSequences: Infinity,
    needsDecodeFirst: true,
    handoff: () => "concurrent",
    prefillBody: (context) =>
      spliceJson(context.body, [
        ...prefillLegEdits(context.api, context.json, "all"),
        ...bootstrapEdits(context),
      ]),
    decodeLeg: (context) => ({ body: spliceJson(context.body, bootstrapEdits(context)), firstToken: null }),
  };
}

function bootstrapEdits({ api, json, prefill, room }: LegContext): JsonEdit[] {
  const sequences = sequencesOf(api, json);
  const host = JSON.stringify(prefill.hostname);
  const port = String(prefill.bootstrapPort ?? DEFAULT_BOOTSTRAP_PORT);
  const rooms = Array.from({ length: sequences }, (_, i) => String(BigInt.asUintN(63, room + BigInt(i))));
  const list = (values: readonly string[]) => (sequences === 1 ? values[0]! : `[${values.join(",")}]`);
  return [
    { path: ["bootstrap_host"], value: list(rooms.map(() => host)) },
    { path: ["bootstrap_port"], value: list(rooms.map(() => port)) },
    { path: ["bootstrap_room"], value: list(rooms) },
  ];
}

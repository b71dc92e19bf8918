import { readJson, spliceJson } from "../json-splice.js";
import type { Dialect, LegContext } from "./dialect.js";
import { handleOf, nixlPrefillBody, relayedHandle } from "./nixl.js";

/** Members of a handle that name the prefill engine rather than one request's blocks. */
const IDENTITY = ["remote_engine_id", "remote_host", "remote_port", "tp_size"] as const;

/**
 * NIXL push: the prefill engine writes the blocks into the decode engine, so both legs can be sent at once
 * as soon as the prefill engine's identity is known. It is learned from the engine's first answer, which
 * says `transfer_mode: "push"`; until then, and with engines that do not push, this is `nixl`.
 *
 * Source: vllm-router 0.1.14 (NIXL push).
 */
export function nixlPush(): Dialect {
  const identities = new Map<string, string>();
  return {
    name: "nixl_push",
    maxSequences: 1,
    needsDecodeFirst: true,
    handoff: (context) => (identities.has(engineKey(context)) ? "concurrent" : "sequential"),
    prefillBody: nixlPrefillBody,
    decodeLeg: (context, reply) => {
      if (reply !== null) return relayedHandle(context, reply, "as_reported");
      const identity = identities.get(engineKey(context))!;
      const value =
        `{"do_remote_prefill":true,"do_remote_decode":false,${identity},` +
        `"remote_request_id":${JSON.stringify(context.requestId)}}`;
      return { body: spliceJson(context.body, [{ path: ["kv_transfer_params"], value }]), firstToken: null };
    },
    learn: (context, reply) => {
      const identity = identityIn(reply);
      if (identity !== null) identities.set(engineKey(context), identity);
    },
  };
}

function engineKey({ prefill }: LegContext): string {
  return `${prefill.origin}@${prefill.rank ?? 0}`;
}

/** The members of IDENTITY as JSON text, from a reply of an engine that pushes. */
function identityIn(reply: Buffer): string | null {
  const handle = handleOf(reply);
  if (handle === null || readJson(handle, ["transfer_mode"])?.toString() !== '"push"') return null;
  const members: string[] = [];
  for (const name of IDENTITY) {
    const value = readJson(handle, [name]);
    if (value !== null) members.push(`"${name}":${value.toString()}`);
    else if (name !== "tp_size") return null;
  }
  return members.join(",");
}

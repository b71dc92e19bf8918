import { readJson, spliceJson } from "../json-splice.js";
import type { DecodeLeg, Dialect, LegContext } from "./dialect.js";
import { prefillLegEdits } from "./prefill-leg.js";

/** What vLLM's NixlConnector wants on the prefill leg; it fills the nulls in its answer. */
export const NIXL_PREFILL_PARAMS =
  '{"do_remote_decode":true,"do_remote_prefill":false,"remote_engine_id":null,' +
  '"remote_block_ids":null,"remote_host":null,"remote_port":null}';

export interface NixlOptions {
  /**
   * Host under which the decode worker finds the prefill worker's KV: as the engine reports it, or the host
   * of its URL, for engines that report an address only they can reach.
   */
  readonly remoteHost: "as_reported" | "prefill_url";
}

/**
 * NIXL pull: prefill first, then decode with the handle that prefill returned, byte for byte.
 *
 * Source: vllm-router 0.1.14 (vLLM PD), llm-d sidecar `nixlv2`, Ray Serve LLM; `remoteHost: prefill_url` is
 * production-stack's `disaggregated_prefill_orchestrated`. A reply without a handle makes the decode worker
 * compute the prompt itself, as all of them do.
 */
export function nixl({ remoteHost }: NixlOptions): Dialect {
  return {
    name: "nixl",
    maxSequences: 1,
    needsDecodeFirst: false,
    handoff: () => "sequential",
    prefillBody: nixlPrefillBody,
    decodeLeg: (context, reply) => relayedHandle(context, reply, remoteHost),
  };
}

export function nixlPrefillBody({ api, body, json }: LegContext): Buffer {
  return spliceJson(body, [
    ...prefillLegEdits(api, json),
    { path: ["kv_transfer_params"], value: NIXL_PREFILL_PARAMS },
  ]);
}

/** The client's body with the handle of the prefill reply, or as it is when the reply has none. */
export function relayedHandle(
  { body, prefill }: LegContext,
  reply: Buffer | null,
  remoteHost: NixlOptions["remoteHost"],
): DecodeLeg {
  let handle = reply === null ? null : handleOf(reply);
  if (handle !== null && remoteHost === "prefill_url") {
    handle = spliceJson(handle, [{ path: ["remote_host"], value: JSON.stringify(prefill.hostname) }]);
  }
  return { body: spliceJson(body, [{ path: ["kv_transfer_params"], value: handle }]), firstToken: null };
}

/** `kv_transfer_params` of a reply, where they are an object. */
export function handleOf(reply: Buffer): Buffer | null {
  const handle = readJson(reply, ["kv_transfer_params"]);
  return handle?.[0] === OPEN_BRACE ? handle : null;
}

const OPEN_BRACE = 0x7b;

import { engineIdOf } from "../engine-routes.js";
import { compareJson, isSpelling, textAt } from "../exact-json.js";
import type { Findings } from "../findings.js";
import type { Leg } from "../wire.js";
import { objectMember, type KitDialect } from "./kit-dialect.js";

/** What vLLM's NixlConnector wants to see on a prefill leg. */
const WANTED = { do_remote_decode: true, do_remote_prefill: false } as const;
const NULLS = ["remote_engine_id", "remote_block_ids", "remote_host", "remote_port"] as const;
/** An address for documentation (RFC 5737): a router that puts the host of the prefill URL in its place shows. */
const REMOTE_HOST = "192.0.2.7";

/** NIXL pull: the prefill answer carries a handle, the decode leg carries it on. */
export const nixl: KitDialect = {
  name: "nixl",
  handoff: "sequential",
  shortensPrefill: true,
  members: new Set(["kv_transfer_params"]),
  relaysHandle: true,
  prefillReply: (leg) =>
    objectMember(leg, "kv_transfer_params")?.["do_remote_decode"] === true
      ? `,"kv_transfer_params":${handleFor(leg)}`
      : "",
  checkPrefill,
  checkPair: (prefill, decode, findings) => checkRelayed(handleFor(prefill), decode, findings),
};

/**
 * The handle that an engine gives out for a leg. Block ids above 2^53, members that no router knows, names
 * that JavaScript would move to the front and numbers that a double prints differently are all legal JSON.
 */
export function handleFor(leg: Leg, more = ""): string {
  return (
    `{"do_remote_prefill":true,"do_remote_decode":false,"remote_block_ids":[9007199254740993,9223372036854775807,${leg.order}],` +
    `"remote_engine_id":"${engineIdOf(leg.engine)}","remote_request_id":"leg-${leg.order}","remote_host":"${REMOTE_HOST}",` +
    `"remote_port":5600,"tp_size":1${more},"layout":{"10":1.0,"2":1e2}}`
  );
}

/** A prefill leg that asks for a handle. */
export function checkPrefill(prefill: Leg, findings: Findings): void {
  const params = objectMember(prefill, "kv_transfer_params");
  if (params === null) {
    findings.fail(
      "the prefill leg has no kv_transfer_params, so the engine keeps no KV for the decode worker",
    );
    return;
  }
  for (const [name, value] of Object.entries(WANTED)) {
    findings.check(
      params[name] === value,
      `kv_transfer_params.${name} is ${shown(params[name])} on the prefill leg, expected ${value}`,
    );
  }
  const notNull = NULLS.filter((name) => (params[name] ?? null) !== null);
  if (notNull.length > 0) {
    findings.fail(
      `${notNull.join(", ")}: on the prefill leg these are for the engine to fill in, expected null`,
    );
  }
  const absent = NULLS.filter((name) => !(name in params));
  if (absent.length > 0) {
    findings.differ(
      `${absent.join(", ")} absent from the prefill leg; vllm-router, llm-d and Ray send them as null`,
    );
  }
}

/** A decode leg that carries the handle as the prefill engine wrote it. */
export function checkRelayed(handle: string, decode: Leg, findings: Findings): void {
  const relayed = textAt(decode.body.toString(), ["kv_transfer_params"]);
  if (relayed === null || !relayed.startsWith("{")) {
    findings.fail("the decode leg carries no handle, so its engine computes the whole prompt again");
    return;
  }
  for (const difference of compareJson(handle, relayed)) {
    const { kind, path, before, after } = difference;
    const what = `kv_transfer_params.${path}`;
    if (path === "remote_host" && kind === "value") {
      findings.differ(
        `${what} was ${before} and became ${after}; production-stack's orchestrated logic puts the prefill URL's host there`,
      );
    } else if (kind === "added") findings.differ(`${what} was added to the handle (${after})`);
    else if (kind === "order") findings.differ(`the members of ${what} stand in another order`);
    else if (isSpelling(difference)) {
      findings.differ(`${what} was written ${before} and is now written ${after}`);
    } else findings.fail(`${what} was ${before} and became ${after || "nothing"}`);
  }
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}

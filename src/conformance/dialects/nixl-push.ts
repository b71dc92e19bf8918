import { compareJson, textAt } from "../exact-json.js";
import { headerValues, type Leg } from "../wire.js";
import { objectMember, type KitDialect } from "./kit-dialect.js";
import { checkPrefill, checkRelayed, handleFor, nixl } from "./nixl.js";

const PUSH = ',"transfer_mode":"push"';

/**
 * NIXL push: until the router knows a prefill engine it relays the handle; then both legs may go out at once,
 * the decode leg with the identity of the prefill engine and the request id that both carry.
 */
export const nixlPush: KitDialect = {
  ...nixl,
  name: "nixl_push",
  handoff: "either",
  prefillReply: (leg) =>
    objectMember(leg, "kv_transfer_params")?.["do_remote_decode"] === true
      ? `,"kv_transfer_params":${handleFor(leg, PUSH)}`
      : "",
  checkPrefill,
  checkPair: (prefill, decode, findings) => {
    const params = objectMember(decode, "kv_transfer_params");
    if (params === null || "remote_block_ids" in params) {
      checkRelayed(handleFor(prefill, PUSH), decode, findings);
      return;
    }
    for (const name of ["remote_engine_id", "remote_host", "remote_port"]) {
      const known = textAt(handleFor(prefill), [name])!;
      const sent = textAt(decode.body.toString(), ["kv_transfer_params", name]) ?? "null";
      findings.check(
        compareJson(known, sent).length === 0,
        `${name} is ${sent} on the decode leg, but the prefill engine's is ${known}`,
      );
    }
    const [requestId] = requestIds(decode);
    findings.check(
      params["remote_request_id"] === requestId && requestIds(prefill)[0] === requestId,
      "remote_request_id must be the X-Request-Id that both legs carry",
    );
  },
};

function requestIds(leg: Leg): string[] {
  return headerValues(leg.rawHeaders, "x-request-id");
}

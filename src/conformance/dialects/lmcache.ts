import { objectMember, type KitDialect } from "./kit-dialect.js";

/** The token that prefill engines report as generated; the decode leg may continue behind it. */
const FIRST_TOKEN = 4242;

/** LMCache: the prefill leg names where the decode worker receives KV; nothing of it is on the decode leg. */
export const lmcache: KitDialect = {
  name: "lmcache",
  handoff: "sequential",
  shortensPrefill: true,
  members: new Set(["kv_transfer_params"]),
  relaysHandle: false,
  prefillReply: () => `,"kv_transfer_params":{"first_tok":${FIRST_TOKEN}}`,
  checkPrefill: (prefill, findings) => {
    const params = objectMember(prefill, "kv_transfer_params");
    const spec = params?.["disagg_spec"] as Readonly<Record<string, unknown>> | undefined;
    findings.check(params?.["ret_first_tok"] === true, "kv_transfer_params.ret_first_tok is not true");
    for (const name of ["receiver_host", "receiver_init_port", "receiver_alloc_port", "req_id"]) {
      findings.check(
        spec?.[name] !== undefined,
        `kv_transfer_params.disagg_spec.${name} is absent from the prefill leg`,
      );
    }
  },
  checkPair: (_prefill, decode, findings) => {
    findings.check(
      objectMember(decode, "kv_transfer_params") === null,
      "the decode leg has kv_transfer_params; with LMCache KV travels outside HTTP",
    );
  },
};

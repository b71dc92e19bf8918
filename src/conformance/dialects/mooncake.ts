import { engineIdOf } from "../engine-routes.js";
import type { Findings } from "../findings.js";
import { objectMember, type KitDialect } from "./kit-dialect.js";

/** Mooncake: both legs carry one transfer id, the decode leg the prefill engine's id and bootstrap server. */
export const mooncake: KitDialect = {
  name: "mooncake",
  handoff: "either",
  shortensPrefill: true,
  members: new Set(["kv_transfer_params"]),
  relaysHandle: false,
  prefillReply: () => "",
  checkPrefill: (prefill, findings) => {
    const params = objectMember(prefill, "kv_transfer_params") ?? {};
    checkFlags(params, { do_remote_decode: true, do_remote_prefill: false }, "prefill", findings);
    findings.check(isText(params["transfer_id"]), "the prefill leg has no kv_transfer_params.transfer_id");
  },
  checkPair: (prefill, decode, findings, engines) => {
    const params = objectMember(decode, "kv_transfer_params") ?? {};
    const sent = objectMember(prefill, "kv_transfer_params") ?? {};
    checkFlags(params, { do_remote_decode: false, do_remote_prefill: true }, "decode", findings);
    findings.check(
      params["transfer_id"] === sent["transfer_id"],
      `transfer_id is ${String(sent["transfer_id"])} on the prefill leg and ${String(params["transfer_id"])} on the decode leg`,
    );
    findings.check(
      params["remote_engine_id"] === engineIdOf(prefill.engine),
      `remote_engine_id is ${String(params["remote_engine_id"])}, but ${prefill.engine} says ${engineIdOf(prefill.engine)} at /query`,
    );
    const { url } = engines.find(({ name }) => name === prefill.engine)!;
    findings.check(
      params["remote_bootstrap_addr"] === url,
      `remote_bootstrap_addr is ${String(params["remote_bootstrap_addr"])}, expected ${url}, where ${prefill.engine} answers /query`,
    );
  },
};

function checkFlags(
  params: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, boolean>>,
  leg: string,
  findings: Findings,
): void {
  for (const [name, value] of Object.entries(wanted)) {
    findings.check(
      params[name] === value,
      `kv_transfer_params.${name} is ${JSON.stringify(params[name])} on the ${leg} leg, expected ${value}`,
    );
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

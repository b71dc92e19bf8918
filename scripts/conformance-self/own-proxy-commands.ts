import { fileURLToPath } from "node:url";
import type { Connector } from "../../src/proxy/dialects/connector.js";

const PDBENCH = fileURLToPath(new URL("../../bin/pdbench.js", import.meta.url));

/** Receivers of LMCache by decode URL, as `--decoder-registry` takes them. */
const RECEIVERS = [0, 1]
  .map(
    (i) =>
      `"{decode${i}}":{"receiver_host":"127.0.0.1","receiver_init_port":[${7300 + i}],"receiver_alloc_port":[${7400 + i}]}`,
  )
  .join();

/** How the kit starts our own proxy, by dialect: two prefill and two decode workers. */
export const OWN_PROXY_COMMANDS: Readonly<Record<Connector, string>> = {
  nixl: proxyCommand("nixl"),
  nixl_push: proxyCommand("nixl_push"),
  lmcache: `${proxyCommand("lmcache")} --decoder-registry '{${RECEIVERS}}'`,
  mooncake: proxyCommand("mooncake", ["{prefill0.port}", "{prefill1.port}"]),
  sglang: proxyCommand("sglang"),
};

function proxyCommand(connector: Connector, bootstrapPorts = ["none", "none"]): string {
  const prefill = bootstrapPorts.map((port, i) => `--prefill {prefill${i}} ${port}`).join(" ");
  return (
    `'${process.execPath}' '${PDBENCH}' proxy --host 127.0.0.1 --port {port} --policy consistent_hash ` +
    `--vllm-pd-disaggregation --kv-connector ${connector} ${prefill} --decode {decode0} --decode {decode1}`
  );
}

import { decoderRegistry, type DecoderFlags } from "./decoder-registry.js";
import type { Dialect, WorkerAddress } from "./dialect.js";
import { lmcache } from "./lmcache.js";
import { mooncake } from "./mooncake.js";
import { queryEngineIds } from "./mooncake-bootstrap.js";
import { nixl } from "./nixl.js";
import { nixlPush } from "./nixl-push.js";
import { sglang } from "./sglang.js";

/** How KV gets from prefill to decode workers, as users name it (`--kv-connector`). */
export const CONNECTORS = ["nixl", "nixl_push", "lmcache", "mooncake", "sglang"] as const;
export type Connector = (typeof CONNECTORS)[number];

export interface ConnectorOptions {
  readonly connector: Connector;
  /** NIXL: under which host decode workers find the KV; see `nixl`. */
  readonly remoteHost: "as_reported" | "prefill_url";
  /** LMCache. */
  readonly decoders: DecoderFlags;
}

/**
 * Makes the dialect of a connector; for Mooncake this asks the bootstrap servers for their engine ids.
 *
 * @throws InputError when the options do not name what the connector needs, WorkError when a bootstrap server
 *   does not answer.
 */
export async function dialectOf(
  options: ConnectorOptions,
  prefill: readonly WorkerAddress[],
  decode: readonly WorkerAddress[],
): Promise<Dialect> {
  switch (options.connector) {
    case "nixl":
      return nixl(options);
    case "nixl_push":
      return nixlPush();
    case "sglang":
      return sglang();
    case "lmcache":
      return lmcache(decoderRegistry(options.decoders, [...new Set(decode.map(({ origin }) => origin))]));
    case "mooncake":
      return mooncake(await queryEngineIds(prefill));
  }
}

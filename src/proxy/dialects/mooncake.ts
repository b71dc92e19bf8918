import { spliceJson } from "../json-splice.js";
import type { Dialect, LegContext } from "./dialect.js";
import { prefillLegEdits } from "./prefill-leg.js";

export const DEFAULT_MOONCAKE_PORT = 8998;

/** Engine ids of one prefill server by data-parallel rank, as its bootstrap server's `/query` tells them. */
export type EngineIds = ReadonlyMap<number, string>;

/**
 * Mooncake: both legs carry one `transfer_id`; the decode leg names the prefill engine and the address of
 * its bootstrap server. Nothing of the prefill reply is needed.
 *
 * @param engineIds By origin of the prefill server. A rank that is not listed gets the first id of its server.
 *
 * Source: vllm-router 0.1.14 `--kv-connector mooncake`, vLLM's MooncakeConnector.
 */
export function mooncake(engineIds: ReadonlyMap<string, EngineIds>): Dialect {
  return {
    name: "mooncake",
    maxSequences: 1,
    needsDecodeFirst: false,
    handoff: () => "sequential",
    refusal: ({ origin }, leg) =>
      leg === "decode" || engineIds.has(origin)
        ? null
        : "Mooncake's engine ids are asked for when the proxy starts",
    prefillBody: ({ api, body, json, requestId }) =>
      spliceJson(body, [
        ...prefillLegEdits(api, json),
        {
          path: ["kv_transfer_params"],
          value: `{"do_remote_decode":true,"do_remote_prefill":false,"transfer_id":${transferId(requestId)}}`,
        },
      ]),
    decodeLeg: (context) => {
      const value =
        `{"do_remote_decode":false,"do_remote_prefill":true,"transfer_id":${transferId(context.requestId)},` +
        `"remote_bootstrap_addr":${JSON.stringify(bootstrapUrl(context.prefill))},` +
        `"remote_engine_id":${JSON.stringify(engineId(context, engineIds))}}`;
      return { body: spliceJson(context.body, [{ path: ["kv_transfer_params"], value }]), firstToken: null };
    },
  };
}

/** Where a prefill server answers `GET /query` with its engine ids. */
export function bootstrapUrl({
  hostname,
  bootstrapPort,
}: {
  readonly hostname: string;
  readonly bootstrapPort: number | null;
}): string {
  return `http://${hostname}:${bootstrapPort ?? DEFAULT_MOONCAKE_PORT}`;
}

function transferId(requestId: string): string {
  return JSON.stringify(`xfer-${requestId}`);
}

function engineId({ prefill }: LegContext, engineIds: ReadonlyMap<string, EngineIds>): string {
  const ids = engineIds.get(prefill.origin)!;
  return ids.get(prefill.rank ?? 0) ?? [...ids.values()][0]!;
}

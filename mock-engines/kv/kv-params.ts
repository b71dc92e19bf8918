import { ApiError } from "../http/api-error.js";
import type { Body } from "../http/body-fields.js";

/** Where a decode engine finds the KV of a request: NIXL's `kv_transfer_params` of a prefill response. */
export interface RemoteHandle {
  readonly engineId: string;
  readonly requestId: string;
  readonly blockIds: readonly number[];
  readonly host: string;
  readonly port: number;
}

/** Where a prefill engine sends KV: LMCache's `disagg_spec`. */
export interface PushTarget {
  readonly requestId: string;
  readonly host: string;
  readonly port: number;
}

/**
 * What a request wants done with its KV.
 *
 * - `local`: nothing.
 * - `hold`: NIXL prefill leg; the response carries a handle.
 * - `pull`: NIXL decode leg; `handle` is null where fields are missing.
 * - `push`: LMCache prefill leg; the response carries the first token (`ret_first_tok`).
 */
export type KvIntent =
  | { readonly kind: "local" }
  | { readonly kind: "hold" }
  | { readonly kind: "pull"; readonly handle: RemoteHandle | null }
  | { readonly kind: "push"; readonly target: PushTarget; readonly returnFirstToken: boolean };

const LOCAL: KvIntent = { kind: "local" };

/**
 * Reads `kv_transfer_params`.
 *
 * @throws ApiError when `disagg_spec` lacks what a push needs
 */
export function readKvIntent(params: Body | null): KvIntent {
  if (params === null) return LOCAL;
  const spec = params["disagg_spec"];
  if (typeof spec === "object" && spec !== null) {
    return {
      kind: "push",
      target: pushTarget(spec as Body),
      returnFirstToken: params["ret_first_tok"] === true,
    };
  }
  if (params["do_remote_prefill"] === true) return { kind: "pull", handle: remoteHandle(params) };
  return params["do_remote_decode"] === true ? { kind: "hold" } : LOCAL;
}

/** What a prefill engine of vLLM's NixlConnector puts into its response. */
export function handleParams(handle: RemoteHandle): object {
  return {
    do_remote_prefill: true,
    do_remote_decode: false,
    remote_block_ids: handle.blockIds,
    remote_engine_id: handle.engineId,
    remote_request_id: handle.requestId,
    remote_host: handle.host,
    remote_port: handle.port,
    tp_size: 1,
  };
}

function remoteHandle(params: Body): RemoteHandle | null {
  const engineId = params["remote_engine_id"];
  const requestId = params["remote_request_id"];
  const host = params["remote_host"];
  const port = params["remote_port"];
  const blockIds = idList(params["remote_block_ids"]);
  if (typeof engineId !== "string" || typeof requestId !== "string" || typeof host !== "string") return null;
  if (!isPort(port) || blockIds === null) return null;
  return { engineId, requestId, blockIds, host, port };
}

/** A list of integers, or vLLM's newer list of such lists, one per KV cache group. */
function idList(value: unknown): readonly number[] | null {
  if (!Array.isArray(value)) return null;
  const ids: unknown[] = value.flat();
  return ids.length > 0 && ids.every((id) => Number.isInteger(id)) ? (ids as number[]) : null;
}

function pushTarget(spec: Body): PushTarget {
  const host = spec["receiver_host"];
  const ports = spec["receiver_init_port"];
  const port: unknown = Array.isArray(ports) ? ports[0] : ports;
  const requestId = spec["req_id"];
  if (typeof host !== "string" || !isPort(port) || typeof requestId !== "string") {
    throw new ApiError(
      400,
      "kv_transfer_params.disagg_spec needs req_id, receiver_host and receiver_init_port",
      "kv_transfer_params",
    );
  }
  return { requestId, host, port };
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536;
}

import type { RoutingRequest } from "../routing/types.js";
import type { ProxyCore } from "./core.js";
import type { GenerationApi, JsonObject } from "./generation-api.js";
import { handoverObstacle } from "./handover.js";
import { sessionKey } from "./session-key.js";

const NO_PREFIX = { symbols: new Int32Array(0), length: 0, unitsPerSymbol: 1, totalUnits: 0 };

/** A request of a generating route as the routing core sees it; its prefix is valid until the next one. */
export function generationRequest(
  core: ProxyCore,
  api: GenerationApi,
  body: JsonObject,
  rawHeaders: readonly string[],
): RoutingRequest {
  const { promptTokens, prefix } = core.prompts.read(api, body);
  const obstacle = handoverObstacle(api, body, core.dialect.maxSequences);
  const { priority } = body;
  return {
    id: core.nextId(),
    promptTokens,
    prefix,
    sessionKey: sessionKey(core.sessions, rawHeaders, body),
    model: modelOf(body),
    priority: Number.isInteger(priority) ? (priority as number) : 0,
    ...(obstacle !== null && { decodeOnly: obstacle }),
  };
}

/**
 * A request of one of the engine's own routes: work for a decode worker, of unknown size.
 *
 * @param body Where it was looked at for the model.
 */
export function otherRequest(
  core: ProxyCore,
  body: JsonObject | null,
  rawHeaders: readonly string[],
): RoutingRequest {
  return {
    id: core.nextId(),
    promptTokens: 0,
    prefix: NO_PREFIX,
    sessionKey: sessionKey(core.sessions, rawHeaders, null),
    model: modelOf(body),
    priority: 0,
    decodeOnly: "other_route",
  };
}

function modelOf(body: JsonObject | null): string {
  const model = body?.["model"];
  return typeof model === "string" ? model : "";
}

import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";
import { WorkError } from "../../errors.js";
import { isObject } from "../generation-api.js";
import type { WorkerAddress } from "./dialect.js";
import { bootstrapUrl, type EngineIds } from "./mooncake.js";

const TRIES = 30;
const FIRST_DELAY_MS = 1000;
const LAST_DELAY_MS = 10_000;

/**
 * Asks the bootstrap server of each prefill server for its engine ids: `GET /query` answers
 * `{"<dp rank>": {"engine_id": "..."}}`. Servers that do not answer yet are asked again for a few minutes, as
 * vllm-router does.
 *
 * @throws WorkError naming the server that did not answer, or did so with something else.
 */
export async function queryEngineIds(
  prefill: readonly WorkerAddress[],
  tries = TRIES,
): Promise<ReadonlyMap<string, EngineIds>> {
  const servers = new Map(prefill.map((address) => [address.origin, bootstrapUrl(address)]));
  const found = await Promise.all(
    [...servers].map(async ([origin, url]) => [origin, await queryServer(`${url}/query`, tries)] as const),
  );
  return new Map(found);
}

async function queryServer(url: string, tries: number): Promise<EngineIds> {
  let reason = "";
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt > 0) await delay(Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LAST_DELAY_MS));
    try {
      const { statusCode, body } = await request(url, { headersTimeout: LAST_DELAY_MS });
      const text = await body.text();
      if (statusCode === 200) return engineIdsIn(text, url);
      reason = `status ${statusCode}`;
    } catch (error) {
      if (error instanceof WorkError) throw error;
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  throw new WorkError(`Mooncake: ${url} did not answer in ${tries} tries (${reason})`);
}

function engineIdsIn(text: string, url: string): EngineIds {
  const parsed: unknown = JSON.parse(text);
  const ids = new Map<number, string>();
  for (const [rank, entry] of Object.entries(isObject(parsed) ? parsed : {})) {
    if (isObject(entry) && typeof entry["engine_id"] === "string") ids.set(Number(rank), entry["engine_id"]);
  }
  if (ids.size > 0) return ids;
  throw new WorkError(`Mooncake: ${url} named no engine, expected {"<dp rank>": {"engine_id": "..."}}`);
}

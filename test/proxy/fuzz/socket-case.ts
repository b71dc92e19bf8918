import type { Random } from "../../../src/values/random.js";
import type { Fleet } from "../support/fleet.js";
import { rawEnd, statusesOf } from "../support/raw.js";
import { httpBytes } from "./malformed.js";

/** What one case came to. */
export interface SocketOutcome {
  readonly statuses: readonly number[];
}

/**
 * Sends one malformed request, says that nothing follows, and waits for the proxy to close the connection.
 *
 * @throws Error when it answers with a defect, or with something that is no HTTP.
 */
export async function socketCase(url: string, random: Random): Promise<SocketOutcome> {
  const bytes = httpBytes(random);
  const answer = await rawEnd(url, bytes);
  const statuses = statusesOf(answer);
  if (statuses.includes(500)) throw new Error(`a defect: ${JSON.stringify(bytes.toString("latin1"))}`);
  if (answer !== "" && statuses.length === 0) throw new Error(`no HTTP: ${JSON.stringify(answer)}`);
  return { statuses };
}

/** A request that is well formed must still go through, to a worker of its own leg. */
export async function aliveCase({ url, prefill, decode }: Fleet, mark: string): Promise<void> {
  const body = JSON.stringify({ prompt: mark, max_tokens: 2 });
  const response = await fetch(`${url}/v1/completions`, { method: "POST", body });
  if (response.status !== 200) throw new Error(`${mark}: ${response.status} ${await response.text()}`);
  await response.text();
  for (const engine of prefill) {
    const stray = engine.seen.find(({ json }) => json?.["max_tokens"] !== 1);
    if (stray !== undefined)
      throw new Error(`a prefill worker got ${stray.method} ${stray.url} ${stray.body.toString()}`);
  }
  for (const engine of decode) {
    const stray = engine.seen.find(
      ({ json }) =>
        (json?.["kv_transfer_params"] as { do_remote_decode?: boolean } | undefined)?.do_remote_decode,
    );
    if (stray !== undefined) throw new Error(`a decode worker got a prefill leg: ${stray.body.toString()}`);
  }
}

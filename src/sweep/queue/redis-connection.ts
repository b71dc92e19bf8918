import { Redis } from "ioredis";
import { InputError, WorkError } from "../../errors.js";

/** Where a Redis or Valkey server is, and how to log in. */
export interface RedisUrl {
  /** With the password: never print it. */
  readonly url: string;
  /** Without the password, for messages. */
  readonly shown: string;
}

/** Pause before the n-th attempt to reach a server again that was there before, ms. */
function reconnectPauseMs(attempt: number): number {
  return Math.min(100 * 2 ** attempt, 5000);
}

/** @throws InputError that does not repeat the password */
export function parseRedisUrl(text: string): RedisUrl {
  const expected = "expected redis://[USER:PASSWORD@]HOST[:PORT][/DB], or rediss:// for TLS";
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new InputError(`--redis: not a URL, ${expected}`);
  }
  const shown = new URL(text);
  if (shown.password !== "") shown.password = "***";
  if (!["redis:", "rediss:"].includes(url.protocol))
    throw new InputError(`--redis: ${shown.href}: ${expected}`);
  if (url.hostname === "" || !/^(\/\d*)?$/.test(url.pathname) || url.search !== "" || url.hash !== "") {
    throw new InputError(`--redis: ${shown.href}: ${expected}`);
  }
  return { url: text, shown: shown.href };
}

/**
 * Connects and logs in. A connection that breaks later is made again, and what was asked meanwhile waits.
 *
 * @param note told when a connection breaks
 * @throws InputError when the server refuses user or password
 * @throws WorkError when it cannot be reached
 */
export async function connectRedis(
  { url, shown }: RedisUrl,
  note: (message: string) => void,
): Promise<Redis> {
  let wasReady = false;
  const reasons: Error[] = [];
  const client = new Redis(url, {
    lazyConnect: true,
    // BullMQ waits for jobs for as long as it takes.
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => (wasReady ? reconnectPauseMs(attempt) : null),
  });
  client.on("error", (error: Error) => reasons.push(error));
  try {
    await client.connect();
    await client.ping();
    wasReady = true;
    client.on("reconnecting", () => note(`the connection to ${shown} is lost, trying again`));
    return client;
  } catch (error) {
    client.disconnect();
    throw connectionError(shown, reasons.at(-1) ?? error);
  }
}

function connectionError(shown: string, error: unknown): InputError | WorkError {
  const message = error instanceof Error ? error.message : String(error);
  if (/WRONGPASS|NOAUTH|NOPERM|invalid password/i.test(message)) {
    return new InputError(`--redis ${shown}: the server refuses the login: ${message}`);
  }
  return new WorkError(`cannot reach Redis at ${shown}: ${message}`);
}

import { REQUEST_ID } from "../headers.js";

/** What of a client's headers workers get to see. */
export interface HeaderRules {
  /** False: the client's `Authorization` ends here. */
  readonly forwardsAuthorization: boolean;
  /** Key that workers get as `Authorization: Bearer`; null = none. */
  readonly workerKey: string | null;
  /** Headers that may hold the client's request id, in lower case; the first harmless one counts. */
  readonly requestIdHeaders: readonly string[];
}

/**
 * Headers as they go on behind the door: name and value in turn, in order and spelling. The list itself where
 * nothing is to be done.
 */
export function headersInside(raw: string[], rules: HeaderRules): string[] {
  const { forwardsAuthorization, workerKey, requestIdHeaders } = rules;
  const hasUsualId = requestIdHeaders.length === 1 && requestIdHeaders[0] === "x-request-id";
  if (forwardsAuthorization && workerKey === null && hasUsualId) return raw;
  const inside: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (name === "authorization" && (!forwardsAuthorization || workerKey !== null)) continue;
    if (name === "x-request-id" && !hasUsualId) continue;
    inside.push(raw[i]!, raw[i + 1]!);
  }
  if (workerKey !== null) inside.push("authorization", `Bearer ${workerKey}`);
  const id = hasUsualId ? undefined : requestIdIn(raw, requestIdHeaders);
  if (id !== undefined) inside.push("x-request-id", id);
  return inside;
}

function requestIdIn(raw: readonly string[], names: readonly string[]): string | undefined {
  for (const name of names) {
    for (let i = 0; i < raw.length; i += 2) {
      if (raw[i]!.toLowerCase() === name && REQUEST_ID.test(raw[i + 1]!)) return raw[i + 1];
    }
  }
  return undefined;
}

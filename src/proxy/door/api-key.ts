import { createHash, timingSafeEqual } from "node:crypto";

/** The key that clients must show; how long a check takes says nothing of how much of a key was right. */
export class ApiKey {
  private readonly digest: Buffer;

  constructor(key: string) {
    this.digest = sha256(key);
  }

  /** @param authorization The client's header: `Bearer KEY`, or `Basic` with the key as password, for browsers. */
  matches(authorization: string | undefined): boolean {
    const given = authorization === undefined ? null : keyIn(authorization);
    // An absent key costs the same comparison.
    return timingSafeEqual(sha256(given ?? ""), this.digest) && given !== null && given !== "";
  }
}

function keyIn(authorization: string): string | null {
  const [scheme, value] = authorization.split(/ +/, 2) as [string, string | undefined];
  if (value === undefined) return null;
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return null;
  const pair = Buffer.from(value, "base64").toString();
  return pair.slice(pair.indexOf(":") + 1);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

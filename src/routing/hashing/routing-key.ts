import { choice } from "../parameters.js";
import type { RoutingRequest } from "../types.js";
import type { Random } from "../../values/random.js";
import { FbiHash } from "./fbi-hash.js";
import type { HashRing } from "./hash-ring.js";

/** Where hash policies send a request without a session key. */
export const KEYLESS = choice(
  "keyless",
  "prompt",
  ["prompt", "constant", "random"],
  "Where requests without a session key go: by a hash of the prompt, all to one worker, or anywhere.",
);

export type Keyless = "prompt" | "constant" | "random";

/** What a request was placed by: the first part of the branch names of hash policies. */
export type KeyKind = "session" | "prompt" | "constant" | "random";

/** What the request is placed by under a `keyless` setting. */
export function keyKind({ sessionKey }: RoutingRequest, keyless: Keyless): KeyKind {
  return sessionKey === null ? keyless : "session";
}

/** The point of the ring that a request belongs to. */
export function ringPoint(ring: HashRing, request: RoutingRequest, kind: KeyKind, random: Random): number {
  if (kind === "random") return random.nextInt(ring.points);
  if (kind === "prompt") return ring.pointOfWords(request.prefix.symbols, request.prefix.length);
  // The key that vllm-router gives to every request without text.
  return ring.pointOfKey(request.sessionKey ?? "request:");
}

/** Gives requests string keys: the session's, or one made of the prompt's hash. */
export class RoutingKeys {
  private readonly hash = new FbiHash();

  /** Not for the kind `random`, which has no key. */
  keyOf({ sessionKey, prefix }: RoutingRequest, kind: Exclude<KeyKind, "random">): string {
    if (kind === "session") return sessionKey!;
    if (kind === "constant") return "request:";
    this.hash.ofWords(prefix.symbols, prefix.length);
    const hex = (half: number): string => half.toString(16).padStart(8, "0");
    return `request_hash:${hex(this.hash.hi)}${hex(this.hash.lo)}`;
  }
}

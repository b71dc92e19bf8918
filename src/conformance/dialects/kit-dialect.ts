import type { Findings } from "../findings.js";
import type { KitEngine } from "../kit-engine.js";
import type { Leg } from "../wire.js";

/** What a connector asks of the router, as rules that a leg keeps or breaks. */
export interface KitDialect {
  readonly name: string;
  /** `sequential`: decode follows the prefill answer; `concurrent`: both legs go out at once; or either. */
  readonly handoff: "sequential" | "concurrent" | "either";
  /** The router makes the prefill leg a request for one token; SGLang's engines do that themselves. */
  readonly shortensPrefill: boolean;
  /** Members of the body that the router writes; not compared with the client's. */
  readonly members: ReadonlySet<string>;
  /** The prefill answer carries a handle that the decode leg must carry too. */
  readonly relaysHandle: boolean;
  /** Members of a prefill engine's answer, each with a comma in front; empty = none. */
  prefillReply(leg: Leg): string;
  checkPrefill(prefill: Leg, findings: Findings): void;
  /** What must hold between both legs of one request. */
  checkPair(prefill: Leg, decode: Leg, findings: Findings, engines: readonly KitEngine[]): void;
}

/** An object-valued member of a leg's body, or null. */
export function objectMember(leg: Leg, name: string): Readonly<Record<string, unknown>> | null {
  const value = leg.json?.[name];
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : null;
}

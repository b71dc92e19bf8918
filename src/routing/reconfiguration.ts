import { InputError } from "../errors.js";
import type { Choice, RouterConfig } from "./router-config.js";
import type { Leg } from "./types.js";

/** Settings by which requests that are open are accounted for, so that they cannot change under them. */
const FIXED = [
  ["order", "order"],
  ["index_update", "indexUpdate"],
  ["router_replicas", "routerReplicas"],
  ["prefill_output", "prefillOutput"],
  ["load_accounting", "loadAccounting"],
] as const satisfies readonly (readonly [string, keyof RouterConfig])[];

/** @throws InputError naming the first setting that differs and must not. */
export function checkReconfigurable(from: RouterConfig, to: RouterConfig): void {
  for (const [name, key] of FIXED) {
    if (isSame(from[key], to[key])) continue;
    throw new InputError(
      `router.${name} cannot change while requests are open: got ${JSON.stringify(to[key])}, expected ` +
        `${JSON.stringify(from[key])} or a new start`,
    );
  }
}

/** Whether two values of settings are equal; settings are plain data in a fixed order. */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function policyChoice({ prefillPolicy, decodePolicy }: RouterConfig, leg: Leg): Choice {
  return leg === "prefill" ? prefillPolicy : decodePolicy;
}

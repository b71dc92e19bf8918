import { deciderNamed, policyNamed } from "./registry.js";
import type { RouterConfig } from "./router-config.js";

/** What of a configuration says which signals it goes by. */
type Choices = Pick<RouterConfig, "decider" | "prefillPolicy" | "decodePolicy">;

/** True when decisions look at engine statistics. */
export function usesStats({ decider, prefillPolicy, decodePolicy }: Choices): boolean {
  return (
    deciderNamed(decider.name).usesStats(decider.params) ||
    [prefillPolicy, decodePolicy].some(({ name, params }) => policyNamed(name).usesStats(params))
  );
}

/** True when decisions go by the engines' KV events. */
export function usesKvEvents({ prefillPolicy, decodePolicy }: Choices): boolean {
  return [prefillPolicy, decodePolicy].some(({ name, params }) => policyNamed(name).usesKvEvents(params));
}

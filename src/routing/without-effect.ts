import { policyNamed } from "./registry.js";
import type { Layer } from "./router-block.js";
import type { RouterConfig } from "./router-config.js";

/** Settings of the router that matter only where requests are disaggregated. */
const OF_DISAGGREGATION = ["prefill_policy", "prefill_output", "pairing", "without_prefill_worker"];

/** What of a scenario's `router` block the rest of it leaves without effect, and why. */
export function withoutEffect(
  { top, prefill, loadAccounting }: Layer,
  config: RouterConfig,
): { readonly path: string; readonly because: string }[] {
  const found: { path: string; because: string }[] = [];
  const add = (paths: readonly string[], because: string): void => {
    for (const path of paths) found.push({ path, because });
  };
  const given = Object.keys(top).filter((name) => top[name] !== undefined);
  if (config.decider.name === "never" && !["prefill_first", "joint"].includes(config.order)) {
    const paths = [
      ...given.filter((name) => OF_DISAGGREGATION.includes(name)),
      ...Object.keys(prefill).map((name) => `prefill.${name}`),
    ];
    add(paths, "decider never gives no request a prefill worker");
  }
  if (given.includes("session_key_reaches") && !looksAtSessions(config)) {
    add(["session_key_reaches"], "no policy in force looks at session keys");
  }
  if (config.loadAccounting.never_counted) {
    const others = Object.keys(loadAccounting).filter((name) => name !== "never_counted");
    add(
      others.map((name) => `load_accounting.${name}`),
      "load_accounting.never_counted counts nothing",
    );
  }
  return found;
}

function looksAtSessions({ prefillPolicy, decodePolicy }: RouterConfig): boolean {
  return [prefillPolicy, decodePolicy].some(({ name, params }) => policyNamed(name).usesSessionKey(params));
}

import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { Router } from "../../src/routing/router.js";
import type { RoutingRequest, WorkerSpec } from "../../src/routing/types.js";

/** A fleet of `prefill` + `decode` workers named `prefill-0`, ..., `decode-0`, ... */
export function workers(prefill: number, decode: number): WorkerSpec[] {
  return [
    ...Array.from({ length: prefill }, (_, i) => ({ id: `prefill-${i}`, leg: "prefill" as const })),
    ...Array.from({ length: decode }, (_, i) => ({ id: `decode-${i}`, leg: "decode" as const })),
  ];
}

/** A router over `prefill` + `decode` workers with settings as in a scenario's `router` block. */
export function routerOf(
  settings: Record<string, unknown>,
  { prefill = 2, decode = 2, seed = 1 }: { prefill?: number; decode?: number; seed?: number } = {},
): Router {
  return new Router(resolveRouterConfig(settings).config, workers(prefill, decode), seed);
}

/** A request whose prompt is `symbols`, of `unitsPerSymbol` tokens each. */
export function request(
  id: number,
  options: {
    symbols?: readonly number[];
    promptTokens?: number;
    unitsPerSymbol?: number;
    sessionKey?: string | null;
  } = {},
): RoutingRequest {
  const { symbols = [], unitsPerSymbol = 512, sessionKey = null } = options;
  const promptTokens = options.promptTokens ?? symbols.length * unitsPerSymbol;
  return {
    id,
    promptTokens,
    prefix: {
      symbols: Int32Array.from(symbols),
      length: symbols.length,
      unitsPerSymbol,
      totalUnits: promptTokens,
    },
    sessionKey,
    model: "",
    priority: 0,
  };
}

/** Lets a routed request end well. */
export function complete(router: Router, id: number, nowMs = 0): void {
  router.onRequestEnd(id, "completed", nowMs);
}

/** How often each value occurs, in order of value. */
export function tally(values: readonly number[]): number[] {
  const counts: number[] = [];
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return Array.from(counts, (count) => count || 0);
}

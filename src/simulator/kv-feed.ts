import type { Engine } from "../engine/types.js";
import type { RequestRouter } from "../routing/router-replicas.js";
import type { RoutingRequest } from "../routing/types.js";
import type { Requests } from "./requests.js";

/**
 * Brings the engines' KV events to routers that index them, neither late nor lossy (see `KvEventFeed`).
 *
 * What a router can learn from events without delay and loss is what the engines hold at the instant of its
 * decision. So nothing is kept up to date in between: before a decision, each engine is asked how much of
 * this prompt it holds, and the router is told of that prompt's blocks only: of those held, and of the first that is
 * not, since nothing after it counts.
 */
export class KvFeed {
  private readonly requests: Requests;
  private readonly router: RequestRouter;
  private readonly engines: readonly Engine[];
  private readonly wanted: boolean;

  constructor(requests: Requests, router: RequestRouter, engines: readonly Engine[]) {
    this.requests = requests;
    this.router = router;
    this.engines = engines;
    this.wanted = router.usesKvEvents();
  }

  /** Tells the router what every engine holds of a request, whose id is its row. */
  readAtDecision({ id, prefix, promptTokens }: RoutingRequest): void {
    if (!this.wanted || prefix.length === 0) return;
    const leg = {
      id,
      promptTokens,
      outputTokens: 1,
      content: this.requests.spanOf(id),
      priority: 0,
      kvRole: "local",
    } as const;
    const symbols = prefix.symbols.subarray(0, prefix.length);
    for (let worker = 0; worker < this.engines.length; worker++) {
      const tokens = this.engines[worker]!.cachedTokens(leg);
      const held = Math.min(prefix.length, Math.floor(tokens / prefix.unitsPerSymbol));
      if (held > 0) this.router.onKvEvent({ worker, kind: "stored", symbols: symbols.subarray(0, held) });
      if (held < prefix.length) {
        this.router.onKvEvent({ worker, kind: "removed", symbols: symbols.subarray(held, held + 1) });
      }
    }
  }
}

import type { TransferNetwork } from "../engine/kv-transfer.js";
import type { Engine } from "../engine/types.js";
import type { RequestRecords } from "../measure/records.js";
import type { RequestRouter } from "../routing/router-replicas.js";
import type { LegDecision, RouteDecision, RoutingRequest } from "../routing/types.js";

/** What a caller may watch while a simulation runs. */
export interface SimulationHooks {
  /** Measure `itlP99Ms` of every request; costs memory in proportion to the steps. */
  readonly requestGaps?: boolean;
  /**
   * Called before every decision, that of a late decode worker included, with the router as the decision will find
   * it; `request` is reused later.
   */
  readonly beforeDecision?: (
    request: RoutingRequest,
    router: Pick<RequestRouter, "candidates">,
    atMs: number,
  ) => void;
  /** Called with every decision, in order of time. */
  readonly onDecision?: (decision: RouteDecision, atMs: number) => void;
  /** Called with every decode worker that is chosen when the prefill has ended (order `late_decode`). */
  readonly onLateDecode?: (requestId: number, decision: LegDecision, atMs: number) => void;
  /** Workers that requests are sent to whatever the policies choose, by row of the workload (`RoutingRequest.pinned`). */
  readonly pins?: ReadonlyMap<number, NonNullable<RoutingRequest["pinned"]>>;
  /** Called when a request has ended; what it throws ends the simulation. */
  readonly onRequestEnd?: (row: number, records: RequestRecords) => void;
  /** Called now and then with the number of requests that have ended; what it throws ends the simulation. */
  readonly onProgress?: (ended: number, records: RequestRecords) => void;
  /** Called when everything has come to rest, for checks of what must then be zero. */
  readonly onDrained?: (fleet: {
    readonly engines: readonly Engine[];
    readonly router: RequestRouter;
    readonly network: TransferNetwork;
  }) => void;
}

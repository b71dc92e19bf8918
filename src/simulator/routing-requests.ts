import type { RoutingRequest } from "../routing/types.js";
import { expandSpan } from "../values/block-span.js";
import type { SimulationHooks } from "./hooks.js";
import type { Requests } from "./requests.js";

/** The requests of a workload as the router sees them: a prefix is the trace's block ids, one symbol a block. */
export class RoutingRequests {
  private readonly requests: Requests;
  private readonly pins: SimulationHooks["pins"];
  private symbols = new Int32Array(256);

  constructor(requests: Requests, pins?: SimulationHooks["pins"]) {
    this.requests = requests;
    this.pins = pins;
  }

  /** Request `row`; its symbols stay valid until the next call. */
  of(row: number): RoutingRequest {
    const { requests } = this;
    const at = row & requests.mask;
    const promptTokens = requests.inputTokens[at]!;
    const { blockTokens: unitsPerSymbol, coversOutput } = requests;
    const blocks = promptTokens / unitsPerSymbol;
    // A block that the prompt shares with the output says nothing of the prompt.
    const limit = coversOutput ? Math.floor(blocks) : Math.ceil(blocks);
    if (limit > this.symbols.length) this.symbols = new Int32Array(2 * limit);
    const length = expandSpan(requests.spanOf(row), this.symbols, limit);
    const session = requests.session[at]!;
    const request: RoutingRequest = {
      id: row,
      promptTokens,
      prefix: { symbols: this.symbols, length, unitsPerSymbol, totalUnits: promptTokens },
      sessionKey: session >= 0 ? String(session) : null,
      model: "",
      priority: requests.priority[at]!,
    };
    const pinned = this.pins?.get(row);
    return pinned === undefined ? request : { ...request, pinned };
  }
}

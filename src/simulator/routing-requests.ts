import type { RoutingRequest } from "../routing/types.js";
import { expandSpan } from "../values/block-span.js";
import { blockSpanOf, type Workload } from "../workload/workload.js";
import type { SimulationHooks } from "./hooks.js";

/** The requests of a workload as the router sees them: a prefix is the trace's block ids, one symbol a block. */
export class RoutingRequests {
  private readonly workload: Workload;
  private readonly pins: SimulationHooks["pins"];
  private symbols = new Int32Array(256);

  constructor(workload: Workload, pins?: SimulationHooks["pins"]) {
    this.workload = workload;
    this.pins = pins;
  }

  /** Request `row`; its symbols stay valid until the next call. */
  of(row: number): RoutingRequest {
    const { workload } = this;
    const promptTokens = workload.inputTokens[row]!;
    const { blockTokens: unitsPerSymbol, coversOutput } = workload.blocks;
    const blocks = promptTokens / unitsPerSymbol;
    // A block that the prompt shares with the output says nothing of the prompt.
    const limit = coversOutput === true ? Math.floor(blocks) : Math.ceil(blocks);
    if (limit > this.symbols.length) this.symbols = new Int32Array(2 * limit);
    const length = expandSpan(blockSpanOf(workload, row), this.symbols, limit);
    const session = workload.session[row]!;
    const request: RoutingRequest = {
      id: row,
      promptTokens,
      prefix: { symbols: this.symbols, length, unitsPerSymbol, totalUnits: promptTokens },
      sessionKey: session >= 0 ? String(session) : null,
      model: "",
      priority: workload.priority[row]!,
    };
    const pinned = this.pins?.get(row);
    return pinned === undefined ? request : { ...request, pinned };
  }
}

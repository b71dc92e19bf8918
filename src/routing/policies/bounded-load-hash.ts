import { HashRing } from "../hashing/hash-ring.js";
import { KEYLESS, keyKind, ringPoint } from "../hashing/routing-key.js";
import { LowestLoad } from "../lowest-load.js";
import { number } from "../parameters.js";
import { policySpec } from "../specs.js";
import { VIRTUAL_NODES } from "./consistent-hash.js";

/**
 * Consistent hashing with bounded loads: the first worker on the ring, from the key's place on, that has
 * room. A worker has room while
 *
 * `open requests + 1 <= ceil(load_factor * (open requests of all candidates + 1) / candidates)`,
 *
 * so that some worker always has, and a key moves only as far as it must.
 */
export const boundedLoadHash = policySpec({
  name: "bounded_load_hash",
  summary: "The session key's worker on a hash ring, or the next one that is not overloaded.",
  source:
    "Mirrokni, Thorup, Zadimoghaddam, Consistent Hashing with Bounded Loads (2018); asked for in sglang #33625",
  parameters: [
    VIRTUAL_NODES,
    KEYLESS,
    number("load_factor", 1.25, { min: 1, unit: "ratio" }, "How far above the mean a worker's load may go."),
  ],
  usesSessionKey: () => true,
  create: (params, { workers, fleetSize }) => {
    let ring = new HashRing(workers, params.virtual_nodes);
    const loads = new LowestLoad(fleetSize, "first");
    return {
      name: "bounded_load_hash",
      pick(candidates, request, context) {
        const { ledger, candidateSet } = context;
        const kind = keyKind(request, params.keyless);
        let point = ringPoint(ring, request, kind, context.random);
        const owner = ring.ownerOf(point);
        loads.look(candidates, context);
        const bound = Math.ceil((params.load_factor * (loads.sum + 1)) / candidates.length);
        let worker = owner;
        while (!candidateSet.has(worker) || ledger.open(worker) + 1 > bound) {
          point = ring.after(point);
          worker = ring.ownerOf(point);
        }
        return {
          worker,
          policy: "bounded_load_hash",
          branch: worker === owner ? `${kind}_owner` : candidateSet.has(owner) ? "owner_full" : "owner_down",
          figures: { owner, load: ledger.open(worker), bound },
        };
      },
      onWorkersChanged(now) {
        ring = new HashRing(now, params.virtual_nodes);
      },
    };
  },
});

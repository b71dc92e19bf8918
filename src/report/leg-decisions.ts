import type { RequestRow } from "./run-files-reader.js";

/** The choice of a worker for one leg of a request. */
export interface LegDecision {
  /** Since the start of the run. */
  readonly timeS: number;
  readonly leg: "prefill" | "decode";
  /** null where the request got none. */
  readonly worker: string | null;
  readonly branch: string;
}

/** What stands for the branch of a request that got no worker. */
export const NOT_ROUTED = "not routed";

/**
 * What is known of a run's decisions without its log: where each request went, by which branch of the decider, as of its arrival.
 * A request without workers counts as a decode decision, which every request asks for.
 */
export function decisionsFromRequests(requests: readonly RequestRow[]): readonly LegDecision[] {
  return requests.flatMap(({ arrivalS: timeS, branch, prefillWorker, decodeWorker }): LegDecision[] => {
    if (prefillWorker === "" && decodeWorker === "") {
      return [{ timeS, leg: "decode", worker: null, branch: NOT_ROUTED }];
    }
    const legs = [
      ["prefill", prefillWorker],
      ["decode", decodeWorker],
    ] as const;
    return legs.flatMap(([leg, worker]) => (worker === "" ? [] : [{ timeS, leg, worker, branch }]));
  });
}

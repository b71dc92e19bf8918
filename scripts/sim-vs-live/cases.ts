/** A fleet under a load: what is simulated once, and run live at every time scale. */
export interface Case {
  readonly name: string;
  /** Of each leg. */
  readonly workers: number;
  /** Requests per second to which the trace is re-timed. */
  readonly rate: number;
}

/** The fleet and router of every case but for the number of workers. */
export const SCENARIO = "conversation-4p4d";

/** Light: the busiest prefill worker works half of the time; heavy: more than four fifths of it. */
export const CASES: readonly Case[] = [
  { name: "2P2D-light", workers: 2, rate: 1 },
  { name: "2P2D-heavy", workers: 2, rate: 2 },
  { name: "4P4D-light", workers: 4, rate: 2 },
  { name: "4P4D-heavy", workers: 4, rate: 4 },
];

/** Arguments by which `simulate`, and in part the live commands, are told of a case. */
export function workerFlags({ workers }: Case): string[] {
  return ["--prefill-workers", String(workers), "--decode-workers", String(workers)];
}

/** Arguments that name the workload of a case. */
export function workloadFlags({ rate }: Case, requests: number): string[] {
  return ["--requests", String(requests), "--rate", String(rate)];
}

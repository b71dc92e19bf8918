import type { VllmRules } from "./types.js";

/**
 * Scheduler rules by vLLM release, as observed in golden schedules of main 2025-09-30 ("0.11"), of the v0.19
 * release branch (2026-04-16) and of main 2026-08-17.
 *
 * One defect of the 0.11 era is not reproduced: under the priority policy a victim that was already scheduled
 * in the same step stayed in the batch and resumed without valid KV (fixed by 41f3884438 and 243ed7d32e,
 * October 2025). Here it leaves the batch, as in later releases.
 */
export const VLLM_VERSIONS = {
  "0.11": {
    reserveFullSequence: false,
    oversizedPromptStopsAdmission: false,
    unkeyedBlocksToHead: false,
    countPrefixAtAdmission: false,
    asyncExtraStep: true,
    stableRemoteQueue: false,
    deferAbortDuringLoad: false,
    abortReleasesHeldBlocks: true,
    idlePollsFinishedSends: false,
    reserveForLoads: false,
    unscheduledVictimSkipsNext: true,
  },
  "0.19": {
    reserveFullSequence: true,
    oversizedPromptStopsAdmission: true,
    unkeyedBlocksToHead: false,
    countPrefixAtAdmission: false,
    asyncExtraStep: false,
    stableRemoteQueue: true,
    deferAbortDuringLoad: true,
    abortReleasesHeldBlocks: false,
    idlePollsFinishedSends: false,
    reserveForLoads: false,
    unscheduledVictimSkipsNext: true,
  },
  "main-2026-08": {
    reserveFullSequence: true,
    oversizedPromptStopsAdmission: true,
    unkeyedBlocksToHead: true,
    countPrefixAtAdmission: true,
    asyncExtraStep: false,
    stableRemoteQueue: true,
    deferAbortDuringLoad: true,
    abortReleasesHeldBlocks: false,
    idlePollsFinishedSends: true,
    reserveForLoads: true,
    unscheduledVictimSkipsNext: false,
  },
} as const satisfies Record<string, VllmRules>;

export type VllmVersion = keyof typeof VLLM_VERSIONS;

export const DEFAULT_VLLM_VERSION: VllmVersion = "0.19";

import { randomStream } from "../../values/random.js";

/** Limits of a probe. */
export interface ProbeLimits {
  /** Requests in all, at most. */
  readonly maxRequests: number;
  /** No stage begins after this time, s. */
  readonly maxSeconds: number;
  /** Prompt and output tokens of one request together, at most. */
  readonly maxModelLen: number;
}

/** Requests that are sent together; the next stage waits for all of them. */
export interface ProbeStage {
  readonly concurrency: number;
  /** About this many tokens; the server says how many there were. */
  readonly promptTokens: number;
  readonly outputTokens: number;
}

const PROMPT_TOKENS = [64, 256, 1024, 4096, 16384];
const CONCURRENCY = [1, 4, 16, 32];
const OUTPUT_TOKENS = 48;
const WARM_UP: ProbeStage = { concurrency: 1, promptTokens: 64, outputTokens: 8 };

/**
 * Prompt lengths times concurrency, short before long so that a probe that is cut off has seen every batch
 * size; the first stage warms the server up and is not measured. Stages that do not fit the limits are left out.
 */
export function probePlan({ maxRequests, maxModelLen }: ProbeLimits): readonly ProbeStage[] {
  const stages = [WARM_UP];
  let left = maxRequests - WARM_UP.concurrency;
  for (const promptTokens of PROMPT_TOKENS) {
    if (promptTokens + OUTPUT_TOKENS > maxModelLen) break;
    for (const concurrency of CONCURRENCY) {
      if (concurrency > left) break;
      stages.push({ concurrency, promptTokens, outputTokens: OUTPUT_TOKENS });
      left -= concurrency;
    }
  }
  return stages;
}

/** Words of one token each in the common vocabularies. */
const WORDS = [
  "time",
  "year",
  "people",
  "way",
  "day",
  "man",
  "thing",
  "woman",
  "life",
  "child",
  "world",
  "school",
];

/** A prompt of about `tokens` tokens that shares no prefix with that of another `number`. */
export function probePrompt(number: number, tokens: number): string {
  const random = randomStream(number, "probe-prompt");
  const words = Array.from({ length: Math.max(1, tokens - 4) }, () => WORDS[random.nextInt(WORDS.length)]!);
  return `${number} ${words.join(" ")}`;
}

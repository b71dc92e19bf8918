import type { RetrySettings } from "../resilience.js";

/**
 * How long to wait before a retry: exponential, with jitter, as vllm-router waits.
 *
 * @param retry Number of the retry, from 0.
 * @param draw Uniform in [0, 1).
 */
export function backoffMs(settings: RetrySettings, retry: number, draw: number): number {
  const { initialBackoffMs, backoffMultiplier, maxBackoffMs, jitterShare } = settings;
  const plainMs = Math.min(initialBackoffMs * backoffMultiplier ** retry, maxBackoffMs);
  return plainMs * (1 + jitterShare * (2 * draw - 1));
}

import { choice, flag, optionalNumber, type Values } from "./parameters.js";

/**
 * How the router keeps its load counters. The defaults are exact: a leg counts from its choice to the end of
 * its stream. Every other value is a defect, or a habit, of a public router, so that its cost can be measured.
 */
export const LOAD_ACCOUNTING = [
  choice(
    "decode_opens",
    "choice",
    ["choice", "dispatch", "headers"],
    "When a decode leg begins to count: when its worker is chosen, when the request is sent to it (vllm-router 0.1.14, vLLM PD) or when its response headers arrive (SGLang PD streaming).",
  ),
  choice(
    "decode_release",
    "stream_end",
    ["stream_end", "headers"],
    "When a decode leg stops to count: at the end of its stream, or already when its response headers arrive (vllm-router before #200).",
  ),
  flag(
    "prefill_guard_opened_late",
    false,
    "A prefill leg begins to count only when its response headers arrive (SGLang PD streaming).",
  ),
  flag(
    "leak_on_disconnect",
    false,
    "A leg whose client has gone away is never taken off the counters (vllm-router before #215).",
  ),
  flag(
    "double_decrement_on_retryable_status",
    false,
    "A leg that fails with a retryable status (408, 429, 5xx) is taken off twice (vllm-router 0.1.14 regular mode).",
  ),
  optionalNumber(
    "health_check_resets_load_s",
    { min: 0, exclusiveMin: true, unit: "s" },
    "Every so often all counters are set to 0 whatever is open (vllm-router 0.1.14: every 600 s); null = never.",
  ),
  flag(
    "counted_only_for_cache_aware",
    false,
    "Only legs placed by cache_aware count (vllm-router 0.1.14 regular mode).",
  ),
  flag(
    "never_counted",
    false,
    "No leg counts (routes that vllm-router passes through unread, as /inference/v1/generate before #180).",
  ),
] as const;

export type LoadAccounting = Values<typeof LOAD_ACCOUNTING>;

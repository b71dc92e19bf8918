/**
 * Names, help and buckets of vLLM's Prometheus series (v1/metrics/loggers.py of 0.19 and of 0.9, the last with the
 * `gpu_` names). Counters carry the `_total` that vLLM's client library appends.
 */

export const LATENCY_BUCKETS = [
  0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
];

export const TTFT_BUCKETS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
  2560,
];

export const TOKEN_GAP_BUCKETS = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
];

export const NIXL_TIME_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 5];

export const NIXL_BYTES_BUCKETS = Array.from({ length: 12 }, (_, i) => 2 ** (10 + 2 * i + 1));

/** 1, 2, 5, 10, 20, 50, ... up to `most`. */
export function oneTwoFive(most: number): number[] {
  const buckets: number[] = [];
  for (let power = 1; ; power *= 10) {
    for (const mantissa of [1, 2, 5]) {
      if (mantissa * power > most) return buckets;
      buckets.push(mantissa * power);
    }
  }
}

export const HISTOGRAMS = {
  ttft: ["vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds."],
  timePerOutputToken: [
    "vllm:time_per_output_token_seconds",
    "Histogram of time per output token in seconds.",
  ],
  interTokenLatency: ["vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds."],
  requestTimePerOutputToken: [
    "vllm:request_time_per_output_token_seconds",
    "Histogram of time_per_output_token_seconds per request.",
  ],
  e2e: ["vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds."],
  queue: ["vllm:request_queue_time_seconds", "Histogram of time spent in WAITING phase for request."],
  inference: ["vllm:request_inference_time_seconds", "Histogram of time spent in RUNNING phase for request."],
  prefill: ["vllm:request_prefill_time_seconds", "Histogram of time spent in PREFILL phase for request."],
  decode: ["vllm:request_decode_time_seconds", "Histogram of time spent in DECODE phase for request."],
  promptTokens: ["vllm:request_prompt_tokens", "Number of prefill tokens processed."],
  generationTokens: ["vllm:request_generation_tokens", "Number of generation tokens processed."],
  maxNumGenerationTokens: [
    "vllm:request_max_num_generation_tokens",
    "Histogram of maximum number of requested generation tokens.",
  ],
  paramsN: ["vllm:request_params_n", "Histogram of the n request parameter."],
  paramsMaxTokens: ["vllm:request_params_max_tokens", "Histogram of the max_tokens request parameter."],
  nixlTime: ["vllm:nixl_xfer_time_seconds", "Histogram of transfer duration for NIXL KV Cache transfers."],
  nixlBytes: ["vllm:nixl_bytes_transferred", "Histogram of bytes transferred per NIXL KV Cache transfers."],
} as const;

export type HistogramName = keyof typeof HISTOGRAMS;

/** Buckets of every histogram of an engine with this context length. */
export function bucketsOf(name: HistogramName, maxModelLen: number): number[] {
  switch (name) {
    case "ttft":
      return TTFT_BUCKETS;
    case "timePerOutputToken":
    case "interTokenLatency":
    case "requestTimePerOutputToken":
      return TOKEN_GAP_BUCKETS;
    case "e2e":
    case "queue":
    case "inference":
    case "prefill":
    case "decode":
      return LATENCY_BUCKETS;
    case "promptTokens":
    case "generationTokens":
    case "maxNumGenerationTokens":
    case "paramsMaxTokens":
      return oneTwoFive(maxModelLen);
    case "paramsN":
      return [1, 2, 5, 10, 20];
    case "nixlTime":
      return NIXL_TIME_BUCKETS;
    case "nixlBytes":
      return NIXL_BYTES_BUCKETS;
  }
}

import type { EngineConfig, LegRequest } from "./types.js";

/**
 * Why an engine could never serve the request, or null. Only what would wait for ever is rejected: a prompt
 * that reaches max_model_len (as vLLM does), more KV than the card has, and without chunked prefill a sequence
 * that never fits into one step (vLLM refuses such a configuration).
 */
export function rejectReason(
  config: EngineConfig,
  request: Pick<LegRequest, "promptTokens" | "outputTokens">,
): string | null {
  const { promptTokens } = request;
  if (promptTokens >= config.maxModelLen) {
    return `its prompt of ${promptTokens} tokens does not stay below max_model_len ${config.maxModelLen}`;
  }
  const longest = Math.min(promptTokens + request.outputTokens, config.maxModelLen) - 1;
  const blocks = Math.ceil(longest / config.blockSize);
  const usable = config.numGpuBlocks - 1;
  if (blocks > usable) {
    return `its ${longest} tokens of KV need ${blocks} blocks, the engine has ${usable}`;
  }
  const threshold = config.longPrefillTokenThreshold;
  const chunk = threshold > 0 ? Math.min(longest, threshold) : longest;
  if (!config.enableChunkedPrefill && chunk > config.maxNumBatchedTokens) {
    return (
      `its ${chunk} tokens in one step exceed max_num_batched_tokens ${config.maxNumBatchedTokens}, ` +
      "and chunked prefill is off"
    );
  }
  return null;
}

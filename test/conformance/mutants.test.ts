import { describe, expect, it } from "vitest";
import { complaints, runKit } from "./support/kit-run.js";
import { startSmallRouter, type Defect } from "./support/small-router.js";

/** Every defect, and the case that is meant for it. */
const CAUGHT: readonly (readonly [Defect, string])[] = [
  ["keeps max_tokens", "prefill-leg/max-tokens"],
  ["keeps max_tokens", "prefill-leg/no-limit"],
  ["forgets max_completion_tokens", "prefill-leg/max-completion-tokens"],
  ["forgets max_completion_tokens", "prefill-leg/both-limits"],
  ["keeps sampling_params.max_tokens", "prefill-leg/generate-max-tokens"],
  ["keeps min_tokens", "prefill-leg/min-tokens"],
  ["keeps stream", "prefill-leg/stream"],
  ["keeps stream_options", "prefill-leg/stream"],
  ["asks for no handle", "prefill-leg/kv-params"],
  ["re-serialises the handle", "decode-leg/kv-params"],
  ["drops the handle", "decode-leg/kv-params-chat-stream"],
  ["takes the handle of the prefill leg before", "answer/together"],
  ["re-serialises the prefill body", "prefill-leg/prompt"],
  ["re-serialises the decode body", "decode-leg/body"],
  ["invents max_tokens", "decode-leg/limits"],
  ["asks decode first", "decode-leg/order"],
  ["numbers legs apart", "headers/request-id"],
  ["gives all requests one id", "headers/request-id-per-request"],
  ["forwards hop-by-hop headers", "headers/hop-by-hop"],
  ["ignores sessions", "headers/session-affinity"],
  ["sends no rank", "headers/data-parallel-rank"],
  ["buffers answers", "answer/as-it-comes"],
  ["ignores back-pressure", "flow/back-pressure"],
  ["decodes chunks as text", "answer/split-events"],
  ["drops usage events", "answer/usage-stream"],
  ["asks for usage unasked", "answer/no-usage-unasked"],
  ["drops the last token", "answer/stream"],
  ["rewrites other bodies", "passage/tokenize"],
  ["drops queries", "passage/embeddings"],
  ["asks decode after a refusal", "errors/prefill-400"],
  ["hides errors in a 200", "errors/decode-503"],
  ["loses error messages", "errors/decode-400"],
  ["ends broken streams well", "errors/decode-dies-late"],
  ["ends broken streams in [DONE]", "errors/decode-dies-late"],
  ["starts again in mid-stream", "errors/decode-dies-late"],
  ["answers 500 to what is not JSON", "errors/not-json"],
  ["lets prefill run on", "abort/during-prefill"],
  ["lets decode run on", "abort/before-first-token"],
  ["tries 400 again", "retries/not-4xx"],
  ["tries for ever", "retries/bounded"],
  ["tries again without the handle", "retries/decode-503"],
];

/** The cases that wait for something that never happens are over sooner. */
const SHORT_MS = 1500;
const setUp = { dataParallelSize: 2, expectsAffinity: true };

describe("a small router without a defect", () => {
  it("fails no case", async () => {
    const results = await runKit(setUp, (prefill, decode) => startSmallRouter(null, { prefill, decode }, 2));
    expect(complaints(results).filter((one) => "verdict" in one && one.verdict === "failed")).toEqual([]);
    const names = new Set(
      results.filter(({ verdict }) => verdict === "passed" || verdict === "warned").map(({ name }) => name),
    );
    expect(CAUGHT.map(([, name]) => name).filter((name) => !names.has(name))).toEqual([]);
  });
});

describe("a small router that", () => {
  it.each(CAUGHT)("%s fails %s", async (defect, name) => {
    const [result] = await runKit({ ...setUp, only: [name], timeoutMs: SHORT_MS }, (prefill, decode) =>
      startSmallRouter(defect, { prefill, decode }, 2),
    );
    expect(result).toMatchObject({ name, verdict: "failed" });
  });
});

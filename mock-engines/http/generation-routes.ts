import { randomUUID } from "node:crypto";
import type { Fault } from "../faults.js";
import { Generation } from "../generation.js";
import { rootHash, tokenSeed } from "../kv/block-hashes.js";
import type { LegSpec } from "../leg.js";
import type { EngineRank } from "../engine-rank.js";
import type { MockEngine } from "../mock-engine.js";
import type { OutputLimits } from "../output-plan.js";
import { ApiError } from "./api-error.js";
import { chatApi } from "./chat-api.js";
import { completionApi } from "./completion-api.js";
import { generateApi } from "./generate-api.js";
import type { Answer, Choice, GenerationApi, GenerationRequest } from "./generation-api.js";
import { header, jsonBody, type HttpCall, type Routes } from "./http-server.js";
import { checkSampling, outputRoom } from "./sampling.js";

/** The routes that make an engine generate. */
export function generationRoutes(engine: MockEngine): Routes {
  return {
    "POST /v1/completions": (call) => generate(engine, completionApi, call),
    "POST /v1/chat/completions": (call) => generate(engine, chatApi, call),
    "POST /inference/v1/generate": (call) => generate(engine, generateApi, call),
  };
}

async function generate(engine: MockEngine, api: GenerationApi, call: HttpCall): Promise<void> {
  const { request: http, response } = call;
  refuseOnDemand(header(http, "x-return-error"));
  const fault = engine.faults.next(engine.knobs);
  if (fault.kind === "error") throw new ApiError(fault.status, "Injected error.");
  if (fault.kind === "reset") {
    response.socket?.resetAndDestroy();
    return;
  }
  engine.serverLoad++;
  let counted = true;
  const answered = (): void => {
    if (counted) engine.serverLoad--;
    counted = false;
  };
  response.once("close", answered);
  if (fault.kind === "hang") return;
  try {
    await engine.gate.pass();
    await engine.setup.clock.sleep(engine.knobs.delay_ms);
    if (!response.destroyed) begin(engine, api, call, fault, answered);
  } catch (error) {
    answered();
    throw error;
  }
}

/** `X-Return-Error: 503` answers this one request with that status. */
function refuseOnDemand(status: string | null): void {
  if (status === null) return;
  const code = Number(status);
  if (!Number.isInteger(code) || code < 400 || code > 599) {
    throw new ApiError(400, `X-Return-Error: expected a status from 400 to 599, got ${status}`);
  }
  throw new ApiError(code, "Error asked for by X-Return-Error.");
}

/** Reads the request, checks it in vLLM's order, and hands its legs to an engine. */
function begin(
  engine: MockEngine,
  api: GenerationApi,
  call: HttpCall,
  fault: Fault,
  onOver: () => void,
): void {
  const { setup, models } = engine;
  const request = api.read(jsonBody(call), setup.tokenizer);
  const { name, lora } = models.resolve(request.model);
  const rank = chooseRank(engine, header(call.request, "x-data-parallel-rank"));
  const { sampling } = request;
  const maxTokens = sampling.maxTokens ?? api.defaultMaxTokens;
  const limits = request.prompts.map((prompt) => outputLimits(engine, request, prompt, maxTokens));
  const root = rootHash(lora, request.cacheSalt);
  const base = header(call.request, "x-request-id") ?? request.requestId ?? randomUUID();
  const id = `${api.idPrefix}${base}`;
  const choices: Choice[] = [];
  const specs: LegSpec[] = [];
  for (const [prompt, tokens] of request.prompts.entries()) {
    const seed = tokenSeed(tokens) ^ Math.imul((sampling.seed ?? 0) | 0, 0x9e3779b1);
    for (let n = 0; n < sampling.n; n++) {
      const plan = engine.planner.plan(seed + n, limits[prompt]!);
      const index = choices.length;
      choices.push({ index, prompt, plan, emitted: 0, finishReason: null });
      specs.push({
        tokens: joined(tokens, plan.ids),
        promptTokens: tokens.length,
        outputTokens: plan.ids.length,
        finishReason: plan.finishReason,
        root,
        lora,
        priority: request.priority,
        intent: request.kv,
        // vLLM adds a suffix of its own, so that a repeated request id names another request.
        requestId: `${id}-${index}-${randomUUID().slice(0, 8)}`,
      });
    }
  }
  const created = Math.floor(Date.now() / 1000);
  const answer: Answer = { id, created, model: name, request, choices, tokenizer: setup.tokenizer };
  rank.metrics.asked(sampling.n, Math.max(...limits.map(({ tokens }) => tokens)));
  const generation = new Generation(api, answer, rank, call.response, fault, onOver);
  if (isBelowThreshold(rank, request, specs)) generation.decline();
  else generation.start(specs);
}

/** How long the output after a prompt gets; a model that is told nothing ends by itself. */
function outputLimits(
  engine: MockEngine,
  request: GenerationRequest,
  prompt: readonly number[],
  maxTokens: number | null,
): OutputLimits {
  const { tokenizer, worker } = engine.setup;
  const { sampling } = request;
  if (prompt.length === 0) throw new ApiError(400, "The decoder prompt cannot be empty");
  const foreign = prompt.find((id) => id >= tokenizer.vocabularySize);
  if (foreign !== undefined) throw new ApiError(400, `Token id ${foreign} is out of vocabulary`);
  const room = outputRoom(prompt.length, maxTokens, worker.engine.maxModelLen);
  const most = maxTokens ?? room;
  checkSampling(sampling, most);
  const own = Math.max(engine.knobs.default_output_tokens, sampling.minTokens);
  const endsItself = maxTokens === null && !sampling.ignoreEos && own < room;
  return {
    tokens: endsItself ? own : most,
    finishReason: endsItself ? "stop" : "length",
    stop: sampling.stop,
    stopTokenIds: sampling.stopTokenIds,
    includeStop: sampling.includeStop,
    minTokens: sampling.minTokens,
  };
}

/** The rank that the header names, else the one with the fewest requests. */
function chooseRank(engine: MockEngine, wanted: string | null): EngineRank {
  const { ranks } = engine;
  if (wanted === null) {
    return ranks.reduce((least, rank) => (rank.openLegCount < least.openLegCount ? rank : least));
  }
  const rank = /^\d+$/.test(wanted) ? ranks[Number(wanted)] : undefined;
  if (rank === undefined) {
    throw new ApiError(400, `data_parallel_rank ${wanted} is out of range [0, ${ranks.length}).`);
  }
  return rank;
}

/** llm-d's shared-storage dialect: the prompt is not cached well enough to be worth computing here. */
function isBelowThreshold(rank: EngineRank, request: GenerationRequest, specs: readonly LegSpec[]): boolean {
  const { cacheHitThreshold } = request;
  if (cacheHitThreshold === null || cacheHitThreshold <= 0) return false;
  return specs.some((spec) => rank.hitTokens(spec) / spec.promptTokens < cacheHitThreshold);
}

function joined(prompt: readonly number[], output: Int32Array): Int32Array {
  const tokens = new Int32Array(prompt.length + output.length);
  tokens.set(prompt);
  tokens.set(output, prompt.length);
  return tokens;
}

import type { JsonObject } from "../generation-api.js";
import { isObject } from "../generation-api.js";
import { readJson, spliceJson, type JsonEdit } from "../json-splice.js";
import type { ReceiverSpec } from "./decoder-registry.js";
import type { DecodeLeg, Dialect, LegContext } from "./dialect.js";
import { prefillLegEdits } from "./prefill-leg.js";

/**
 * LMCache: the prefill leg says where the chosen decode worker receives KV (`disagg_spec`) and asks for the
 * token it generates (`ret_first_tok`). The KV travels outside HTTP; the decode leg carries no handle.
 *
 * The decode leg continues behind the first token where that is exact: a completion of one list of token ids
 * whose prefill stopped for length. It then gets the prompt extended by the token, limits one lower, and the
 * token's text goes to the client first. Any other request reaches the decode worker as the client sent it,
 * and its first token is computed again from the KV that has arrived.
 *
 * Source: production-stack #890, LMCache's disaggregated proxy example. Not taken over from #890: a decode
 * limit of 0 or -1 where the client gave none, a text prompt replaced by the first token, and the loss of
 * the first token's text.
 *
 * @param receivers By origin of the decode server.
 */
export function lmcache(receivers: ReadonlyMap<string, ReceiverSpec>): Dialect {
  return {
    name: "lmcache",
    maxSequences: 1,
    needsDecodeFirst: true,
    handoff: () => "sequential",
    refusal: ({ origin }, leg) =>
      leg === "prefill" || receivers.has(origin)
        ? null
        : "LMCache has no receiver for it (--decoder-registry)",
    prefillBody: ({ api, body, json, decode, requestId }) => {
      const spec = { ...receivers.get(decode!.origin)!, req_id: requestId };
      return spliceJson(body, [
        ...prefillLegEdits(api, json),
        { path: ["kv_transfer_params"], value: JSON.stringify({ ret_first_tok: true, disagg_spec: spec }) },
      ]);
    },
    decodeLeg: (context, reply) => {
      const continued = reply === null ? null : continuedBehind(context, reply);
      return continued ?? { body: withoutHandle(context.body), firstToken: null };
    },
  };
}

function withoutHandle(body: Buffer): Buffer {
  return spliceJson(body, [{ path: ["kv_transfer_params"], value: null }]);
}

/** The decode leg behind the first token, or null where that would change what the client gets. */
function continuedBehind({ api, body, json }: LegContext, reply: Buffer): DecodeLeg | null {
  const limit = json["max_tokens"];
  const canContinue =
    api.name === "completions" &&
    isIdList(json["prompt"]) &&
    json["echo"] !== true &&
    json["logprobs"] == null &&
    (limit == null || (typeof limit === "number" && limit > 1));
  if (!canContinue) return null;
  const answer = firstTokenOf(reply);
  const prompt = readJson(body, ["prompt"]);
  if (answer === null || prompt === null) return null;
  const extended = `${prompt.toString("latin1", 0, prompt.length - 1)},${answer.id}]`;
  const edits: JsonEdit[] = [
    { path: ["prompt"], value: extended },
    { path: ["kv_transfer_params"], value: null },
  ];
  // vLLM's default limit of a completion is 16 tokens in all.
  edits.push({
    path: ["max_tokens"],
    value: String((typeof limit === "number" ? limit : DEFAULT_MAX_TOKENS) - 1),
  });
  const minTokens = json["min_tokens"];
  if (typeof minTokens === "number" && minTokens > 0) {
    edits.push({ path: ["min_tokens"], value: String(minTokens - 1) });
  }
  return { body: spliceJson(body, edits), firstToken: { text: answer.text, chunkHead: answer.chunkHead } };
}

const DEFAULT_MAX_TOKENS = 16;

function isIdList(prompt: unknown): boolean {
  return Array.isArray(prompt) && prompt.length > 0 && prompt.every((id) => Number.isInteger(id));
}

/** Id and text of the token a prefill worker generated; null when it reports none or generation ended there. */
function firstTokenOf(reply: Buffer): { id: number; text: string; chunkHead: string } | null {
  let parsed: JsonObject;
  try {
    parsed = JSON.parse(reply.toString()) as JsonObject;
  } catch {
    return null;
  }
  const handle = parsed["kv_transfer_params"];
  const choice: unknown = Array.isArray(parsed["choices"]) ? parsed["choices"][0] : undefined;
  if (!isObject(handle) || !isObject(choice)) return null;
  const { first_tok: id } = handle;
  const { text, finish_reason: reason } = choice;
  if (!Number.isInteger(id) || typeof text !== "string" || reason !== "length") return null;
  const head = ["id", "created", "model"].flatMap((name) => {
    const value = readJson(reply, [name]);
    return value === null ? [] : [`"${name}":${value.toString()}`];
  });
  return { id: id as number, text, chunkHead: head.join(",") };
}

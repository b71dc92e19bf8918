import { GENERATION_APIS, isObject } from "../../../src/proxy/generation-api.js";
import { EventGate } from "../../../src/proxy/event-gate.js";
import { handoverObstacle } from "../../../src/proxy/handover.js";
import { readJson, spliceJson } from "../../../src/proxy/json-splice.js";
import { PromptReader } from "../../../src/proxy/prompt-reader.js";
import { parseObject } from "../../../src/proxy/request-body.js";
import { sessionKey, sessionSource } from "../../../src/proxy/session-key.js";
import { CachedTokens } from "../../../src/proxy/usage.js";
import { nixl } from "../../../src/proxy/dialects/nixl.js";
import type { Random } from "../../../src/values/random.js";
import { legContext } from "../support/leg-context.js";
import { jsonBytes } from "./malformed.js";

const READER = new PromptReader();
const SESSIONS = sessionSource();
const NIXL = nixl({ remoteHost: "as_reported" });
const HANDLE = '{"do_remote_prefill":true,"remote_block_ids":[9223372036854775807]}';

/**
 * Takes one body through everything that reads bodies, and one answer through everything that reads answers.
 *
 * @throws Error when something throws that must not, or an edit of JSON gives what is no JSON.
 */
export function parserCase(random: Random): void {
  const body = jsonBytes(random);
  const parsed = parseObject(body);
  const edited = spliceJson(body, [{ path: ["kv_transfer_params"], value: HANDLE }]);
  readJson(body, ["kv_transfer_params", "remote_block_ids"]);
  const api = GENERATION_APIS[random.nextInt(GENERATION_APIS.length)]!;
  if (typeof parsed !== "string") {
    const { promptTokens, prefix } = READER.read(api, parsed);
    if (!Number.isFinite(promptTokens) || promptTokens < 0) throw new Error(`${promptTokens} tokens`);
    if (prefix.length > prefix.symbols.length) throw new Error("a prefix beyond its symbols");
    sessionKey(SESSIONS, [], parsed);
    handoverObstacle(api, parsed, 1);
    mustHold(edited, "kv_transfer_params");
    const context = { ...legContext(api.name, "{}"), body, json: parsed };
    const prefill = mustHold(NIXL.prefillBody(context), "kv_transfer_params");
    if (prefill["stream"] !== false) throw new Error("a prefill leg that streams");
    mustHold(
      NIXL.decodeLeg(context, Buffer.from(`{"kv_transfer_params":${HANDLE}}`)).body,
      "kv_transfer_params",
    );
  }
  answer(jsonBytes(random), random);
}

function answer(bytes: Buffer, random: Random): void {
  const cached = new CachedTokens();
  cached.learn(bytes);
  cached.inDocument(bytes);
  const gate = new EventGate();
  const stream = Buffer.concat([Buffer.from("data: "), bytes, Buffer.from("\n\ndata: x")]);
  const cut = random.nextInt(stream.length);
  const parts = [gate.push(stream.subarray(0, cut)), gate.push(stream.subarray(cut)), gate.flush()];
  const passed = Buffer.concat(parts.filter((part) => part !== null));
  if (!passed.equals(stream)) throw new Error("an event gate that lost or made bytes");
  cached.inEvents(stream);
}

/** The document parsed, which must be an object that has the member. */
function mustHold(document: Buffer, member: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(document.toString());
  if (!isObject(parsed) || !(member in parsed)) throw new Error(`no ${member} in ${document.toString()}`);
  return parsed;
}

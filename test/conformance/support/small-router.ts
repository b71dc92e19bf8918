import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Agent, type Dispatcher } from "undici";
import { readJson, spliceJson, type JsonEdit } from "../../../src/proxy/json-splice.js";

/** What a small router does wrong; null = nothing. */
export type Defect =
  | "keeps max_tokens"
  | "forgets max_completion_tokens"
  | "keeps sampling_params.max_tokens"
  | "keeps min_tokens"
  | "keeps stream"
  | "keeps stream_options"
  | "asks for no handle"
  | "re-serialises the handle"
  | "drops the handle"
  | "takes the handle of the prefill leg before"
  | "re-serialises the prefill body"
  | "re-serialises the decode body"
  | "invents max_tokens"
  | "asks decode first"
  | "numbers legs apart"
  | "gives all requests one id"
  | "forwards hop-by-hop headers"
  | "ignores sessions"
  | "sends no rank"
  | "buffers answers"
  | "ignores back-pressure"
  | "decodes chunks as text"
  | "drops usage events"
  | "asks for usage unasked"
  | "drops the last token"
  | "rewrites other bodies"
  | "drops queries"
  | "asks decode after a refusal"
  | "hides errors in a 200"
  | "loses error messages"
  | "ends broken streams well"
  | "ends broken streams in [DONE]"
  | "starts again in mid-stream"
  | "answers 500 to what is not JSON"
  | "lets prefill run on"
  | "lets decode run on"
  | "tries 400 again"
  | "tries for ever"
  | "tries again without the handle";

export interface SmallRouter {
  readonly url: string;
  close(): Promise<void>;
}

const NIXL =
  '{"do_remote_decode":true,"do_remote_prefill":false,"remote_engine_id":null,"remote_block_ids":null,"remote_host":null,"remote_port":null}';
const GENERATION = /^\/(v1\/(chat\/)?completions|v1\/responses|inference\/v1\/generate)/;
const OF_ONE_HOP = new Set([
  "connection",
  "keep-alive",
  "te",
  "transfer-encoding",
  "content-length",
  "host",
  "proxy-authorization",
  "expect",
]);

/** A router of a hundred lines that does everything right but one thing. */
export async function startSmallRouter(
  defect: Defect | null,
  workers: { readonly prefill: readonly string[]; readonly decode: readonly string[] },
  ranks = 1,
): Promise<SmallRouter> {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  let turn = 0;
  let handleBefore: Buffer | null = null;
  const is = (one: Defect): boolean => defect === one;

  async function route(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await buffer(req);
    const controller = new AbortController();
    res.on("error", () => undefined);
    res.on("close", () => res.writableFinished || controller.abort());
    const call = new Call(req, res, body, controller.signal);
    try {
      if (req.method === "POST" && GENERATION.test(req.url!)) await generate(call);
      else await pass(call);
    } catch (error) {
      failed(res, error);
    }
  }

  async function pass({ req, res, body, signal }: Call): Promise<void> {
    const path = is("drops queries") ? req.url!.split("?")[0]! : req.url!;
    const sent =
      is("rewrites other bodies") && body.length > 0
        ? Buffer.from(JSON.stringify(JSON.parse(body.toString())))
        : body;
    const answer = await agent.request({
      origin: workers.decode[0]!,
      path,
      method: req.method as Dispatcher.HttpMethod,
      headers: forwarded(req),
      body: sent,
      signal,
    });
    res.writeHead(answer.statusCode, { "content-type": "application/json", ...own(answer.headers) });
    res.end(Buffer.from(await answer.body.arrayBuffer()));
  }

  async function generate(call: Call): Promise<void> {
    const json = parsed(call.body);
    if (json === null) {
      sendError(call.res, is("answers 500 to what is not JSON") ? 500 : 400, "not JSON");
      return;
    }
    if (is("asks decode first")) await (await ask(call, "decode", call.body, 0)).body.dump();
    const prefill = await attempts(call, "prefill", prefillBody(call.body, json, call.req.url!));
    const reply = Buffer.from(await prefill.body.arrayBuffer());
    if (prefill.statusCode >= 400 && !is("asks decode after a refusal")) {
      call.res.writeHead(prefill.statusCode, { "content-type": "application/json", ...own(prefill.headers) });
      call.res.end(reply);
      return;
    }
    const handle = readJson(reply, ["kv_transfer_params"]);
    const taken = is("takes the handle of the prefill leg before") ? (handleBefore ?? handle) : handle;
    handleBefore = handle;
    await relay(call, await attempts(call, "decode", decodeBody(call.body, json, taken)));
  }

  function prefillBody(body: Buffer, json: Record<string, unknown>, url: string): Buffer {
    const one = (path: JsonEdit["path"]): JsonEdit => ({ path, value: "1" });
    const edits: JsonEdit[] = [];
    if (url.includes("/generate")) {
      if (!is("keeps sampling_params.max_tokens")) edits.push(one(["sampling_params", "max_tokens"]));
      if (readJson(body, ["sampling_params", "min_tokens"]) !== null)
        edits.push(one(["sampling_params", "min_tokens"]));
    } else if (url.includes("responses")) edits.push(one(["max_output_tokens"]));
    else if (!is("keeps max_tokens")) edits.push(one(["max_tokens"]));
    if (json["max_completion_tokens"] !== undefined && !is("forgets max_completion_tokens"))
      edits.push(one(["max_completion_tokens"]));
    if (json["min_tokens"] !== undefined && !is("keeps min_tokens")) edits.push(one(["min_tokens"]));
    if (!is("keeps stream")) edits.push({ path: ["stream"], value: "false" });
    if (!is("keeps stream_options")) edits.push({ path: ["stream_options"], value: null });
    edits.push({ path: ["kv_transfer_params"], value: is("asks for no handle") ? null : NIXL });
    const spliced = spliceJson(body, edits);
    return is("re-serialises the prefill body") ? reserialised(spliced) : spliced;
  }

  function decodeBody(body: Buffer, json: Record<string, unknown>, handle: Buffer | null): Buffer {
    let value = is("drops the handle") ? null : handle;
    if (is("re-serialises the handle") && value !== null) value = reserialised(value);
    const edits: JsonEdit[] = [{ path: ["kv_transfer_params"], value }];
    if (is("invents max_tokens") && json["max_tokens"] === undefined)
      edits.push({ path: ["max_tokens"], value: "16" });
    if (is("asks for usage unasked") && json["stream"] === true)
      edits.push({ path: ["stream_options"], value: '{"include_usage":true}' });
    const spliced = spliceJson(body, edits);
    return is("re-serialises the decode body") ? reserialised(spliced) : spliced;
  }

  /** Tries twice, on different workers; not again what was refused. */
  async function attempts(
    call: Call,
    role: "prefill" | "decode",
    body: Buffer,
  ): Promise<Dispatcher.ResponseData> {
    const most = is("tries for ever") ? 50 : 2;
    for (let attempt = 0; ; attempt++) {
      const isLast = attempt === most - 1;
      const sent =
        attempt > 0 && is("tries again without the handle")
          ? spliceJson(body, [{ path: ["kv_transfer_params"], value: null }])
          : body;
      try {
        const answer = await ask(call, role, sent, attempt);
        const isWorthIt = answer.statusCode >= 500 || (is("tries 400 again") && answer.statusCode === 400);
        if (isLast || !isWorthIt) return answer;
        await answer.body.dump();
      } catch (error) {
        if (isLast || call.signal.aborted) throw error;
      }
    }
  }

  function ask(
    { req, id, rank, signal }: Call,
    role: "prefill" | "decode",
    body: Buffer,
    attempt: number,
  ): Promise<Dispatcher.ResponseData> {
    const urls = workers[role];
    const headers = forwarded(req);
    headers["x-request-id"] = is("gives all requests one id")
      ? "same"
      : is("numbers legs apart")
        ? randomUUID()
        : id;
    if (ranks > 1 && !is("sends no rank")) headers["x-data-parallel-rank"] = String(rank % ranks);
    const runsOn = is(role === "prefill" ? "lets prefill run on" : "lets decode run on");
    const path = req.url!;
    return agent.request({
      origin: urls[(placeOf(req) + attempt) % urls.length]!,
      path,
      method: "POST",
      headers,
      body,
      ...(runsOn ? {} : { signal }),
    });
  }

  /** A session has its place, anything else goes round; both legs of a request ask. */
  function placeOf(req: IncomingMessage): number {
    const session = req.headers["x-session-id"] ?? req.headers["x_session_id"];
    return typeof session === "string" && !is("ignores sessions")
      ? session.charCodeAt(session.length - 1)
      : turn++ >> 1;
  }

  async function relay({ res, id, req, body, signal }: Call, answer: Dispatcher.ResponseData): Promise<void> {
    const isHidden = is("hides errors in a 200") && answer.statusCode >= 400;
    const begin = (): unknown =>
      res.headersSent ||
      res.writeHead(isHidden ? 200 : answer.statusCode, { ...own(answer.headers), "x-request-id": id });
    try {
      if (is("loses error messages") && answer.statusCode >= 400) {
        await answer.body.dump();
        begin();
        res.end('{"error":{"message":"Decoder error"}}');
        return;
      }
      const kept: Buffer[] = [];
      for await (const part of answer.body) {
        const chunk = changed(part as Buffer);
        if (is("buffers answers")) kept.push(chunk);
        else {
          begin();
          if (!res.write(chunk) && !is("ignores back-pressure") && !res.destroyed)
            await once(res, "drain", { signal });
        }
      }
      begin();
      res.end(Buffer.concat(kept));
    } catch (error) {
      if (res.headersSent && is("starts again in mid-stream")) {
        const again = await agent.request({
          origin: workers.decode[0]!,
          path: req.url!,
          method: "POST",
          headers: forwarded(req),
          body,
        });
        res.end(Buffer.from(await again.body.arrayBuffer().catch(() => new ArrayBuffer(0))));
      } else if (res.headersSent && is("ends broken streams well")) res.end();
      else if (res.headersSent && is("ends broken streams in [DONE]"))
        res.end('data: {"error":{}}\n\ndata: [DONE]\n\n');
      else failed(res, error);
    }
  }

  function changed(chunk: Buffer): Buffer {
    if (is("decodes chunks as text")) return Buffer.from(chunk.toString());
    const text = chunk.toString("latin1");
    if (is("drops usage events"))
      return Buffer.from(text.replace(/data: \{[^\n]*"choices":\[\][^\n]*\n\n/, ""), "latin1");
    if (is("drops the last token"))
      return Buffer.from(text.replace(/data: [^\n]*"length"\}[^\n]*\n\n/, ""), "latin1");
    return chunk;
  }

  function forwarded(req: IncomingMessage): Record<string, string> {
    const headers: Record<string, string> = {};
    const listed = (req.headers.connection ?? "").split(",").map((name) => name.trim());
    for (const [name, value] of Object.entries(req.headers)) {
      if (
        name === "connection" ||
        name === "content-length" ||
        name === "host" ||
        name === "transfer-encoding"
      )
        continue;
      const isOfHop = OF_ONE_HOP.has(name) || listed.includes(name);
      if (!isOfHop || is("forwards hop-by-hop headers")) headers[name] = String(value);
    }
    return headers;
  }

  const server = createServer((req, res) => void route(req, res));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await agent.destroy();
    },
  };
}

let calls = 0;

/** One request of a client. */
class Call {
  readonly id: string;
  /** Drawn once: both legs may as well use the same. */
  readonly rank = calls++;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly body: Buffer;
  readonly signal: AbortSignal;

  constructor(req: IncomingMessage, res: ServerResponse, body: Buffer, signal: AbortSignal) {
    this.req = req;
    this.res = res;
    this.body = body;
    this.signal = signal;
    this.id = (req.headers["x-request-id"] as string | undefined) ?? randomUUID();
  }
}

function own(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const kept = ["content-type", "retry-after", "x-worker-id"].filter((name) => headers[name] !== undefined);
  return Object.fromEntries(kept.map((name) => [name, String(headers[name])]));
}

function failed(res: ServerResponse, error: unknown): void {
  if (!res.headersSent) sendError(res, 502, "a worker failed");
  else res.end(`\n\ndata: ${JSON.stringify({ error: { message: String(error), code: 502 } })}\n\n`);
}

function sendError(res: ServerResponse, status: number, message: string): void {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify({ error: { message, type: "RouterError", param: null, code: status } }));
}

function parsed(body: Buffer): Record<string, unknown> | null {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function reserialised(json: Buffer): Buffer {
  return Buffer.from(JSON.stringify(JSON.parse(json.toString())));
}

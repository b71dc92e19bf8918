import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { once } from "node:events";

/** A request that a scripted engine has received. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  /** The body parsed, or null. */
  readonly json: Record<string, unknown> | null;
  /** Resolves when the connection is closed before the answer is complete. */
  readonly aborted: Promise<void>;
}

/** What an engine does with a request. */
export type Script = (request: SeenRequest, res: ServerResponse) => void | Promise<void>;

/** A server that does what the test says, by default what vLLM does; it keeps what it was sent. */
export class ScriptedEngine {
  readonly seen: SeenRequest[] = [];
  script: Script = likeVllm;
  readonly sockets = new Set<Socket>();
  /** Requests whose connection or answer is not over. */
  open = 0;
  /** Answer to health checks, which are not kept in `seen`; 0 = none. */
  healthStatus = 200;
  healthChecks = 0;
  private readonly server: Server;
  private readonly waiting: ((request: SeenRequest) => void)[] = [];

  private constructor() {
    this.server = createServer((req, res) => void this.answer(req, res));
    this.server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
  }

  static async start(port = 0, host = "127.0.0.1"): Promise<ScriptedEngine> {
    const engine = new ScriptedEngine();
    engine.server.listen(port, host);
    await once(engine.server, "listening");
    return engine;
  }

  get url(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  get bodies(): string[] {
    return this.seen.map(({ body }) => body.toString());
  }

  /** The next request that arrives. */
  next(): Promise<SeenRequest> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, "close");
  }

  private async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.url === "/health") {
      this.healthChecks++;
      if (this.healthStatus === 0) return;
      res.writeHead(this.healthStatus);
      res.end();
      return;
    }
    this.open++;
    res.on("close", () => this.open--);
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const aborted = new Promise<void>((resolve) => {
      res.on("close", () => {
        if (!res.writableFinished) resolve();
      });
    });
    const { method, url, headers } = req;
    const request = { method: method!, url: url!, headers, body, json: parsed(body), aborted };
    this.seen.push(request);
    this.waiting.shift()?.(request);
    await this.script(request, res);
  }
}

function parsed(body: Buffer): Record<string, unknown> | null {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** The handle that scripted prefill engines give out; its first block id has 63 bits. */
export const HANDLE =
  '{"do_remote_prefill":true,"do_remote_decode":false,"remote_engine_id":"p0","remote_block_ids":[9223372036854775807],"remote_host":"127.0.0.1","remote_port":5600}';

/** Cached tokens that a scripted prefill engine reports; a decode engine reports the whole prompt. */
export const PREFILL_CACHED = 3;
const PROMPT_TOKENS = 8;

/** Answers as vLLM does: a prefill leg with a handle, otherwise `max_tokens` tokens, as JSON or as a stream. */
export const likeVllm: Script = ({ json, url }, res) => {
  if (json === null || !/completions|generate|responses/.test(url)) {
    sendJson(res, 200, JSON.stringify({ url, ok: true }));
    return;
  }
  const handle = json["kv_transfer_params"] as Record<string, unknown> | undefined;
  const isPrefill = handle?.["do_remote_decode"] === true;
  const tokens = Number(json["max_completion_tokens"] ?? json["max_tokens"] ?? 4);
  const isChat = url.includes("chat");
  if (json["stream"] !== true) {
    const answer = documentOf(
      isChat,
      tokens,
      isPrefill ? PREFILL_CACHED : handle === undefined ? 0 : PROMPT_TOKENS,
    );
    sendJson(res, 200, isPrefill ? `${answer.slice(0, -1)},"kv_transfer_params":${HANDLE}}` : answer);
    return;
  }
  res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  for (const event of eventsOf(isChat, tokens)) res.write(event);
  const options = json["stream_options"] as Record<string, unknown> | undefined;
  if (options?.["include_usage"] === true) {
    res.write(
      sse({ ...head(isChat), choices: [], usage: usage(tokens, handle === undefined ? 0 : PROMPT_TOKENS) }),
    );
  }
  res.end("data: [DONE]\n\n");
};

/** The events of a stream, role chunk first for chat, without usage and `[DONE]`. */
export function* eventsOf(isChat: boolean, tokens: number): Generator<string> {
  if (isChat)
    yield sse({
      ...head(true),
      choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }],
    });
  for (let i = 0; i < tokens; i++) {
    const finish_reason = i === tokens - 1 ? "length" : null;
    const piece = ` t${i}`;
    const choice = isChat ? { delta: { content: piece } } : { text: piece };
    yield sse({ ...head(isChat), choices: [{ index: 0, ...choice, finish_reason }] });
  }
}

export function sse(document: object): string {
  return `data: ${JSON.stringify(document)}\n\n`;
}

export function sendJson(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  res.end(text);
}

function documentOf(isChat: boolean, tokens: number, cached: number): string {
  const text = Array.from({ length: tokens }, (_, i) => ` t${i}`).join("");
  const choice = isChat ? { message: { role: "assistant", content: text } } : { text };
  return JSON.stringify({
    ...head(isChat),
    object: isChat ? "chat.completion" : "text_completion",
    choices: [{ index: 0, ...choice, finish_reason: "length" }],
    usage: usage(tokens, cached),
  });
}

function head(isChat: boolean): object {
  return {
    id: "cmpl-1",
    object: isChat ? "chat.completion.chunk" : "text_completion",
    created: 1,
    model: "mock",
  };
}

function usage(completion: number, cached: number): object {
  return {
    prompt_tokens: PROMPT_TOKENS,
    completion_tokens: completion,
    total_tokens: PROMPT_TOKENS + completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
}

/** Something a test waits for or lets happen, once. */
export class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

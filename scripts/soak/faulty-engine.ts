import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { randomStream, type Random } from "../../src/values/random.js";

/** Share of requests that meet each fault. */
const FAULT_SHARE = 0.01;
const CHUNK_MS = 25;
const HANDLE = '{"do_remote_prefill":true,"remote_engine_id":"p","remote_block_ids":[9223372036854775807]}';

/** An engine that streams at the pace of one, and fails at times in every way that matters. */
export class FaultyEngine {
  /** How often a request's decode leg was answered to its end, by the number in its prompt. */
  readonly finished = new Map<number, number>();
  private readonly server: Server;
  private readonly random: Random;

  private constructor(seed: number) {
    this.random = randomStream(seed, "soak/engine");
    this.server = createServer((req, res) => void this.answer(req, res));
  }

  static async start(seed: number): Promise<FaultyEngine> {
    const engine = new FaultyEngine(seed);
    engine.server.listen(0, "127.0.0.1");
    await once(engine.server, "listening");
    return engine;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    if (req.method === "GET") {
      res.end("ok");
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString()) as SoakBody;
    const fault = Math.floor(this.random.nextFloat() / FAULT_SHARE);
    if (fault === 0) json(res, 500, '{"error":{"message":"injected"}}');
    else if (fault === 1) json(res, 429, '{"error":{"message":"injected"}}');
    else if (fault === 2) res.destroy();
    else if (body.kv_transfer_params?.do_remote_decode === true) {
      json(
        res,
        200,
        `{"choices":[{"index":0,"text":" t0","finish_reason":"length"}],"kv_transfer_params":${HANDLE}}`,
      );
    } else this.stream(res, body, fault === 3 ? Math.floor(body.max_tokens / 2) : Infinity);
  }

  /** @param breaksAt Token at which the connection is cut. */
  private stream(res: ServerResponse, { max_tokens: tokens, prompt }: SoakBody, breaksAt: number): void {
    res.writeHead(200, { "content-type": "text/event-stream" });
    let next = 0;
    const timer = setInterval(() => {
      if (res.destroyed || next === breaksAt) {
        clearInterval(timer);
        res.destroy();
      } else if (next < tokens) res.write(`data: {"choices":[{"index":0,"text":" t${next++}"}]}\n\n`);
      else {
        clearInterval(timer);
        const request = Number(/\d+/.exec(prompt)![0]);
        res.end("data: [DONE]\n\n", () => this.finished.set(request, (this.finished.get(request) ?? 0) + 1));
      }
    }, CHUNK_MS);
  }
}

interface SoakBody {
  readonly prompt: string;
  readonly max_tokens: number;
  readonly kv_transfer_params?: { readonly do_remote_decode?: boolean };
}

function json(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  res.end(text);
}

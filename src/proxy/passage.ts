import type { IncomingMessage, ServerResponse } from "node:http";
import type { Leg } from "../routing/types.js";
import { ClientReply } from "./client-reply.js";
import type { ProxyCore, ProxyWorker } from "./core.js";
import { badGateway, errorCode, gatewayTimeout, payloadTooLarge } from "./error-body.js";
import { clientRequestId, headersToWorker, newRequestId } from "./headers.js";
import type { Watched } from "./limits/limits.js";
import type { Pace } from "./limits/pace.js";
import { readBody } from "./request-body.js";
import { UpstreamCall, type UpstreamEvents } from "./upstream-call.js";

/**
 * A request that is no work for an engine, such as `GET /v1/models`: forwarded to a decode worker as it is,
 * without a decision of the routing core and without counting as load.
 */
export class Passage implements UpstreamEvents, Watched {
  private readonly core: ProxyCore;
  private readonly worker: ProxyWorker;
  private readonly req: IncomingMessage;
  private readonly res: ServerResponse;
  private readonly reply: ClientReply;
  private readonly requestId: string;
  private readonly call: UpstreamCall;
  private readonly arrivedMs: number;
  private pausedMs: number | null = null;

  constructor(core: ProxyCore, worker: ProxyWorker, req: IncomingMessage, res: ServerResponse) {
    this.core = core;
    this.worker = worker;
    this.req = req;
    this.res = res;
    this.reply = new ClientReply(res);
    this.requestId = clientRequestId(req.rawHeaders) ?? newRequestId();
    this.call = new UpstreamCall("decode", this);
    this.arrivedMs = core.timers.nowMs();
  }

  begin(): void {
    this.core.limits.watch(this);
    this.res.on("close", () => {
      this.core.limits.forget(this);
      this.call.abort();
    });
    readBody(this.req, this.core.maxPayloadBytes, (body) => {
      if (body === null) this.reply.fail(payloadTooLarge(this.core.maxPayloadBytes), ["connection", "close"]);
      else this.send(body);
    });
  }

  private send(body: Buffer): void {
    this.worker.pool.dispatch(
      {
        path: this.worker.basePath + this.req.url!,
        method: this.req.method!,
        headers: headersToWorker(this.req.rawHeaders, {
          requestId: this.requestId,
          rank: this.worker.rank,
          readsAnswer: false,
          traceparent: null,
        }),
        body: body.length === 0 ? null : body,
      },
      this.call,
    );
  }

  onUpstreamHeaders(_leg: Leg, status: number, rawHeaders: readonly (Buffer | string)[]): void {
    this.reply.start(status, rawHeaders, ["x-request-id", this.requestId], null);
  }

  onUpstreamData(_leg: Leg, chunk: Buffer): boolean {
    if (this.reply.data(chunk)) return true;
    this.pausedMs = this.core.timers.nowMs();
    this.res.once("drain", () => {
      this.pausedMs = null;
      this.call.resume();
    });
    return false;
  }

  onUpstreamEnd(): void {
    this.reply.end();
    this.pausedMs ??= this.core.timers.nowMs();
  }

  get pace(): Pace {
    return { arrivedMs: this.arrivedMs, bodyMs: null, pausedMs: this.pausedMs, legs: [] };
  }

  onOverdue(): void {
    this.call.abort();
    if (this.reply.hasBegun || this.reply.isEnded) this.res.destroy();
    else this.reply.fail(gatewayTimeout("the request took too long (--request-timeout-secs)"));
  }

  onUpstreamError(leg: Leg, error: Error): void {
    this.reply.fail(badGateway(leg, errorCode(error)));
  }
}

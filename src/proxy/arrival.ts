import type { IncomingMessage, ServerResponse } from "node:http";
import { ClientReply } from "./client-reply.js";
import type { ProxyCore } from "./core.js";
import {
  badRequest,
  gatewayTimeout,
  internalError,
  payloadTooLarge,
  requestTimeout,
  tooManyRequests,
  type ProxyError,
} from "./error-body.js";
import { Exchange } from "./exchange.js";
import type { GenerationApi, JsonObject } from "./generation-api.js";
import { clientRequestId, newRequestId, type FlatHeaders } from "./headers.js";
import type { Applicant } from "./limits/admission-queue.js";
import type { Watched } from "./limits/limits.js";
import type { Overdue, Pace } from "./limits/pace.js";
import { parseObject, readBody } from "./request-body.js";

/** A request that is there with its whole body. */
export interface ArrivedRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly reply: ClientReply;
  /** Null: a route of the engine's own. */
  readonly api: GenerationApi | null;
  /** Without its query. */
  readonly path: string;
  readonly requestId: string;
  readonly arrivedMs: number;
  readonly body: Buffer;
  /** The body parsed; null where nothing looks at it. */
  readonly json: JsonObject | null;
}

/**
 * A request on its way in: its body is read, and it waits for a place. `Exchange` does what follows, while
 * the place is held until the answer is closed.
 */
export class Arrival implements ArrivedRequest, Watched {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly reply: ClientReply;
  readonly api: GenerationApi | null;
  readonly path: string;
  readonly requestId: string;
  readonly arrivedMs: number;
  body: Buffer = Buffer.alloc(0);
  json: JsonObject | null = null;
  private readonly core: ProxyCore;
  /** When the last piece of the body came; null = it is complete, or of no interest. */
  private bodyMs: number | null;
  /** Leaves the queue, or gives the place back. */
  private leave: ((nowMs: number) => void) | null = null;
  private exchange: Exchange | null = null;

  /** @param path Path of the request, without its query. */
  constructor(
    core: ProxyCore,
    req: IncomingMessage,
    res: ServerResponse,
    api: GenerationApi | null,
    path: string,
  ) {
    this.core = core;
    this.req = req;
    this.res = res;
    this.reply = new ClientReply(res);
    this.api = api;
    this.path = path;
    this.requestId = clientRequestId(req.rawHeaders) ?? newRequestId();
    this.arrivedMs = core.timers.nowMs();
    this.bodyMs = this.arrivedMs;
  }

  begin(): void {
    this.core.limits.watch(this);
    this.res.on("close", () => {
      this.core.limits.forget(this);
      this.exchange?.onClientClose();
      this.leave?.(this.core.timers.nowMs());
    });
    this.req.on("data", () => {
      this.bodyMs = this.core.timers.nowMs();
    });
    readBody(this.req, this.core.maxPayloadBytes, (body) => {
      this.bodyMs = null;
      if (this.reply.isEnded || this.res.closed) return;
      if (body === null) this.refuse(payloadTooLarge(this.core.maxPayloadBytes), ["connection", "close"]);
      else {
        this.guard(() => {
          this.onBody(body);
        });
      }
    });
  }

  get pace(): Pace {
    return { arrivedMs: this.arrivedMs, bodyMs: this.bodyMs, pausedMs: null, legs: [] };
  }

  onOverdue({ what }: Overdue): void {
    this.bodyMs = null;
    if (this.reply.isEnded) this.res.destroy();
    else if (what === "body")
      this.refuse(requestTimeout("the request body came too slowly"), ["connection", "close"]);
    else this.refuse(gatewayTimeout("the request took too long (--request-timeout-secs)"));
  }

  private onBody(body: Buffer): void {
    const { models } = this.core;
    this.body = body;
    if (this.api !== null || models.areLookedAt) {
      const parsed = parseObject(body);
      if (typeof parsed !== "string") this.json = parsed;
      else if (this.api !== null) {
        this.refuse(badRequest(parsed));
        return;
      }
    }
    const named = this.json === null ? null : models.withoutAlias(body, this.json);
    if (named !== null) {
      this.body = named.body;
      this.json = named.json;
    }
    this.enter();
  }

  /** Waits for a place. */
  private enter(): void {
    const { limits, timers } = this.core;
    const applicant: Applicant = {
      priority: priorityOf(this.json),
      admit: () => {
        if (this.reply.isEnded) return;
        this.guard(() => {
          this.hasPlace();
        });
      },
      refuse: (reason) => {
        limits.onRefused(reason);
        if (this.reply.isEnded) return;
        if (reason === "timeout")
          this.refuse(requestTimeout("no place was free in time (--queue-timeout-secs)"));
        else this.refuse(tooManyRequests(), ["retry-after", String(limits.admission.retryAfterS())]);
      },
    };
    this.leave = limits.admission.enter(applicant, timers.nowMs());
  }

  private hasPlace(): void {
    const { core } = this;
    core.retries.onRequest();
    core.limits.forget(this);
    this.exchange = new Exchange(core, this);
    this.exchange.begin();
  }

  /** A defect of the proxy ends this request, and no other. */
  private guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.core.onDefect(error);
      this.refuse(internalError());
    }
  }

  /** Answers a request that has not reached the routing core. */
  private refuse(error: ProxyError, headers: FlatHeaders = []): void {
    this.reply.fail(error, [...headers, "x-request-id", this.requestId]);
  }
}

/** As vLLM has it: lower is more urgent. */
function priorityOf(body: JsonObject | null): number {
  const priority = body?.["priority"];
  return Number.isInteger(priority) ? (priority as number) : 0;
}

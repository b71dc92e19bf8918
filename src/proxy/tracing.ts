import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from "@opentelemetry/api";
import { packageVersion } from "../package-info.js";
import type { Leg, LegOutcome } from "../routing/types.js";
import type { ProxyWorker, RequestFacts, RequestObserver, RequestOutcome } from "./core.js";
import { headerOf } from "./headers.js";

export interface TracingOptions {
  /** Where spans go, OTLP over HTTP; `/v1/traces` is added to a URL without a path. */
  readonly url: URL;
  readonly serviceName: string;
  /** Share of the traces that begin here which are kept, 0..1; others keep what their caller decided. */
  readonly samplingRatio: number;
}

/** W3C Trace Context; versions after 00 may have more fields. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const EXPORT_TIMEOUT_MS = 5000;

interface OpenSpans {
  readonly root: Span;
  readonly context: Context;
  readonly legs: Partial<Record<Leg, Span>>;
}

/**
 * One trace per request: a span for the request and one for each leg, under the span that the client's
 * `traceparent` names. Workers get the span of their leg as theirs. Spans hold no prompt and no header.
 */
export class Tracing implements RequestObserver {
  private readonly tracer: Tracer;
  private readonly shutdown: () => Promise<void>;
  private readonly open = new Map<number, OpenSpans>();

  private constructor(tracer: Tracer, shutdown: () => Promise<void>) {
    this.tracer = tracer;
    this.shutdown = shutdown;
  }

  /** Loads OpenTelemetry, which a proxy without tracing never does. */
  static async start({ url, serviceName, samplingRatio }: TracingOptions): Promise<Tracing> {
    const [sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
      import("@opentelemetry/sdk-trace-base"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/resources"),
    ]);
    const target = url.pathname === "/" ? new URL("/v1/traces", url) : url;
    const exporter = new OTLPTraceExporter({ url: target.href, timeoutMillis: EXPORT_TIMEOUT_MS });
    const provider = new sdk.BasicTracerProvider({
      resource: resourceFromAttributes({ "service.name": serviceName, "service.version": packageVersion() }),
      sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(samplingRatio) }),
      spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
    });
    return new Tracing(provider.getTracer("pdbench-proxy"), () => provider.shutdown());
  }

  /** A request has been routed. */
  begin(facts: RequestFacts, rawHeaders: readonly string[]): void {
    const { id, path, requestId, promptTokens, decision } = facts;
    const attributes = {
      "http.request.method": "POST",
      "url.path": path,
      "pdbench.request_id": requestId,
      "pdbench.prompt_tokens": promptTokens,
      "pdbench.path": decision.path,
      "pdbench.decider": decision.decider,
      "pdbench.branch": decision.branch,
    };
    const options = { kind: SpanKind.SERVER, attributes };
    const root = this.tracer.startSpan(`POST ${path}`, options, contextOf(rawHeaders));
    this.open.set(id, { root, context: trace.setSpan(ROOT_CONTEXT, root), legs: {} });
  }

  /** A leg is about to be sent. @returns the `traceparent` that it carries */
  beginLeg({ id, decision }: RequestFacts, leg: Leg, worker: ProxyWorker): string {
    const { context, legs } = this.open.get(id)!;
    const { policy, branch } = decision[leg]!;
    const attributes = { "pdbench.worker": worker.id, "pdbench.policy": policy, "pdbench.branch": branch };
    const span = this.tracer.startSpan(leg, { kind: SpanKind.CLIENT, attributes }, context);
    legs[leg] = span;
    const { traceId, spanId, traceFlags } = span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  }

  onLegEnd({ id }: RequestFacts, leg: Leg, _worker: number, outcome: LegOutcome): void {
    end(this.open.get(id)!.legs[leg]!, outcome);
  }

  onEnd({ id, firstByteMs, receivedMs }: RequestFacts, outcome: RequestOutcome, status: number): void {
    const { root } = this.open.get(id)!;
    this.open.delete(id);
    root.setAttribute("http.response.status_code", status);
    if (firstByteMs !== null) root.setAttribute("pdbench.ttft_ms", firstByteMs - receivedMs);
    end(root, outcome);
  }

  /** Sends what has ended, and resolves when that is done or has failed. */
  async close(): Promise<void> {
    // A collector that is away must not keep the proxy from ending.
    await this.shutdown().catch(() => undefined);
  }
}

function end(span: Span, outcome: LegOutcome): void {
  span.setAttribute("pdbench.outcome", outcome);
  if (outcome === "failed" || outcome === "retryable") span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** The caller's span, where `traceparent` names one. */
function contextOf(rawHeaders: readonly string[]): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(headerOf(rawHeaders, "traceparent") ?? "") ?? [];
  if (traceId === undefined) return ROOT_CONTEXT;
  const parent = { traceId, spanId: spanId!, traceFlags: Number.parseInt(flags!, 16), isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}

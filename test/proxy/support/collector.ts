import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** A span as OTLP's JSON has it, attributes by name. */
export interface SeenSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly kind: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A collector of traces, OTLP over HTTP. */
export interface Collector {
  readonly url: string;
  readonly paths: string[];
  readonly spans: SeenSpan[];
  readonly resources: Readonly<Record<string, unknown>>[];
  close(): Promise<void>;
}

interface RawAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface RawSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly status: { readonly code?: number };
  readonly attributes: readonly RawAttribute[];
}

interface RawExport {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly RawAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

export async function startCollector(): Promise<Collector> {
  const [paths, spans, resources]: [string[], SeenSpan[], Readonly<Record<string, unknown>>[]] = [[], [], []];
  async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { resourceSpans } = (await json(req)) as RawExport;
    paths.push(req.url!);
    for (const { resource, scopeSpans } of resourceSpans) {
      resources.push(byName(resource.attributes));
      spans.push(...scopeSpans.flatMap((scope) => scope.spans.map(seen)));
    }
    res.writeHead(200, { "content-type": "application/json" });
    res.end("{}");
  }
  const server = createServer((req, res) => void take(req, res));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    spans,
    resources,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const ERROR = 2;

function seen({ name, traceId, spanId, parentSpanId, kind, status, attributes }: RawSpan): SeenSpan {
  const isError = status.code === ERROR;
  return { name, traceId, spanId, parentSpanId, kind, isError, attributes: byName(attributes) };
}

function byName(attributes: readonly RawAttribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

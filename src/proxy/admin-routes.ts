import type { ServerResponse } from "node:http";
import type { ProxyCore } from "./core.js";
import type { DecisionRing } from "./decision-ring.js";
import { DASHBOARD_HEADERS, dashboardPage } from "./dashboard/dashboard-page.js";
import type { DashboardState } from "./dashboard/dashboard-state.js";
import type { ProxyMetrics } from "./metrics.js";

/** What the proxy tells of itself. */
export interface AdminSource {
  readonly core: ProxyCore;
  readonly metrics: ProxyMetrics;
  readonly decisions: DecisionRing;
  readonly dashboard: DashboardState;
}

type AdminRoute = (source: AdminSource, res: ServerResponse) => void | Promise<void>;

/** Routes that the proxy answers itself, all GET. Answers have vllm-router's form where it has the route. */
export const ADMIN_ROUTES: ReadonlyMap<string, AdminRoute> = new Map<string, AdminRoute>([
  ["/health", (_, res) => sendText(res, "All servers healthy")],
  ["/liveness", (_, res) => sendText(res, "OK")],
  ["/readiness", readiness],
  ["/workers", workers],
  ["/list_workers", ({ core }, res) => sendJson(res, { urls: core.workers.map(({ id }) => id) })],
  ["/loads", loads],
  ["/get_loads", loads],
  [
    "/metrics",
    async ({ metrics }, res) => {
      send(res, 200, metrics.families.contentType, await metrics.families.text());
    },
  ],
  ["/dashboard", (_, res) => send(res, 200, "text/html; charset=utf-8", dashboardPage(), DASHBOARD_HEADERS)],
  ["/dashboard/state", ({ dashboard }, res) => sendJson(res, dashboard.document())],
  ["/debug/decisions", ({ decisions }, res) => sendJson(res, { decisions: decisions.latest() })],
]);

function readiness({ core }: AdminSource, res: ServerResponse): void {
  const total = core.workers.length;
  sendJson(res, { status: "ready", healthy_workers: total, total_workers: total });
}

function workers({ core }: AdminSource, res: ServerResponse): void {
  const list = core.workers.map(({ id, leg, bootstrapPort }, index) => ({
    url: id,
    worker_type: leg,
    bootstrap_port: bootstrapPort,
    is_healthy: true,
    load: core.router.load.open(index),
    open_legs: core.router.bookedLegs(index),
  }));
  sendJson(res, { workers: list, total: list.length });
}

/** `load` is what policies see, `open_legs` the truth; they differ only under a load-accounting defect. */
function loads({ core }: AdminSource, res: ServerResponse): void {
  const { router } = core;
  sendJson(res, {
    workers: core.workers.map(({ id, leg }, index) => ({
      worker: id,
      leg,
      load: router.load.open(index),
      load_tokens: router.load.openTokens(index),
      prefill_tokens: router.load.prefillTokens(index),
      open_legs: router.bookedLegs(index),
    })),
    decisions: router.branchCounts(),
  });
}

function sendText(res: ServerResponse, text: string): void {
  send(res, 200, "text/plain; charset=utf-8", text);
}

function sendJson(res: ServerResponse, value: unknown): void {
  send(res, 200, "application/json", JSON.stringify(value));
}

function send(
  res: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  res.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    ...headers,
  });
  res.end(text);
}

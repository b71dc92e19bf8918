import type { ServerResponse } from "node:http";
import { LEGS } from "../routing/request-book.js";
import type { ProxyCore } from "./core.js";
import type { DecisionRing } from "./decision-ring.js";
import { DASHBOARD_HEADERS, dashboardPage } from "./dashboard/dashboard-page.js";
import type { DashboardState } from "./dashboard/dashboard-state.js";
import type { ProxyMetrics } from "./metrics.js";
import type { WorkerChanges } from "./workers/worker-changes.js";
import { workerDocument } from "./workers/worker-routes.js";

/** What the proxy tells of itself. */
export interface AdminSource {
  readonly core: ProxyCore;
  readonly metrics: ProxyMetrics;
  readonly decisions: DecisionRing;
  readonly dashboard: DashboardState;
  readonly changes: WorkerChanges;
}

type AdminRoute = (source: AdminSource, res: ServerResponse) => void | Promise<void>;

/** Routes that the proxy answers itself, all GET. Answers have vllm-router's form where it has the route. */
export const ADMIN_ROUTES: ReadonlyMap<string, AdminRoute> = new Map<string, AdminRoute>([
  ["/health", health],
  ["/liveness", (_, res) => sendText(res, "OK")],
  ["/readiness", readiness],
  ["/workers", workers],
  [
    "/list_workers",
    ({ core: { roster, workers } }, res) =>
      sendJson(res, { urls: roster.present().map((index) => workers[index]!.id) }),
  ],
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

/** vllm-router's answer: whether every worker is up. */
function health({ core: { roster, workers } }: AdminSource, res: ServerResponse): void {
  const down = roster.present().filter((index) => !roster.isHealthy(index));
  if (down.length === 0) sendText(res, "All servers healthy");
  else sendText(res, `Unhealthy servers: [${down.map((index) => workers[index]!.id).join(", ")}]`, 503);
}

/** Whether a request would find its workers: one of each leg, as far as there are workers of it. */
function readiness({ core: { roster } }: AdminSource, res: ServerResponse): void {
  const total = roster.present().length;
  const missing = LEGS.filter(
    (leg) => (leg === "decode" || roster.present(leg).length > 0) && roster.available(leg).length === 0,
  );
  const healthy = roster.available("prefill").length + roster.available("decode").length;
  if (missing.length === 0)
    sendJson(res, { status: "ready", healthy_workers: healthy, total_workers: total });
  else {
    const reason = `no healthy ${missing.join(" and no healthy ")} workers available`;
    sendJson(res, { status: "not_ready", reason, healthy_workers: healthy, total_workers: total }, 503);
  }
}

function workers({ core: { roster } }: AdminSource, res: ServerResponse): void {
  const indices = [...roster.present(), ...roster.draining()];
  const list = indices.map((index) => workerDocument(roster, index));
  sendJson(res, { workers: list, total: list.length });
}

/** `load` is what policies see, `open_legs` the truth; they differ only under a load-accounting defect. */
function loads({ core }: AdminSource, res: ServerResponse): void {
  const { router } = core;
  sendJson(res, {
    workers: core.roster.present().map((index) => ({
      worker: core.workers[index]!.id,
      leg: core.workers[index]!.leg,
      load: router.load.open(index),
      load_tokens: router.load.openTokens(index),
      prefill_tokens: router.load.prefillTokens(index),
      open_legs: router.bookedLegs(index),
    })),
    decisions: router.branchCounts(),
  });
}

function sendText(res: ServerResponse, text: string, status = 200): void {
  send(res, status, "text/plain; charset=utf-8", text);
}

export function sendJson(res: ServerResponse, value: unknown, status = 200): void {
  send(res, status, "application/json", JSON.stringify(value));
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

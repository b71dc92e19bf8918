import type { IncomingMessage, ServerResponse } from "node:http";
import { ADMIN_ROUTES, sendJson, type AdminSource } from "./admin-routes.js";
import { Arrival } from "./arrival.js";
import { ClientReply } from "./client-reply.js";
import type { Door } from "./door/door.js";
import { noWorker, notFound } from "./error-body.js";
import { generationApi } from "./generation-api.js";
import { LEAVING, type Lifetime } from "./lifetime.js";
import { isServedAt, type Gate, type OwnPorts } from "./own-ports.js";
import { Passage } from "./passage.js";
import { changeWorkers, isWorkerRoute } from "./workers/worker-routes.js";

/** What a listener of the proxy looks at. */
export interface ListenerParts {
  readonly source: AdminSource;
  readonly door: Door;
  readonly gate: Gate;
  readonly ports: OwnPorts;
  readonly lifetime: Lifetime;
}

/** Where a request goes: to the proxy itself, to the routing core, or to a decode worker as it is. */
export function requestListener({
  source,
  door,
  gate,
  ports,
  lifetime,
}: ListenerParts): (req: IncomingMessage, res: ServerResponse) => void {
  const { core } = source;
  let turn = 0;
  return (req, res) => {
    const path = door.admit(req, res, gate);
    if (path === null) return;
    const admin = req.method === "GET" ? ADMIN_ROUTES.get(path) : undefined;
    const isWorkers = isWorkerRoute(req.method!, path);
    const isOwn = admin !== undefined || isWorkers;
    if (isOwn ? !isServedAt(gate, path, ports) : gate !== "clients") {
      req.resume();
      new ClientReply(res).fail(notFound(path));
      return;
    }
    if (admin !== undefined) {
      req.resume();
      if (path === "/readiness" && !lifetime.isReady) {
        new ClientReply(res).fail(LEAVING);
        return;
      }
      void admin(source, res);
      return;
    }
    if (isWorkers) {
      req.resume();
      changeWorkers(source.changes, req, res).catch((error: unknown) => {
        core.onDefect(error);
      });
      return;
    }
    if (!lifetime.takesNew) {
      req.resume();
      new ClientReply(res).fail(LEAVING, ["retry-after", "1", "connection", "close"]);
      return;
    }
    lifetime.track(res);
    if (req.method === "POST") {
      new Arrival(core, req, res, generationApi(req.method, path), path).begin();
      return;
    }
    const models = req.method === "GET" && path === "/v1/models" ? core.models.list() : null;
    if (models !== null) {
      req.resume();
      sendJson(res, models);
      return;
    }
    const decode = core.roster.available("decode");
    if (decode.length === 0) new ClientReply(res).fail(noWorker("no_decode_worker"));
    else new Passage(core, core.workers[decode[turn++ % decode.length]!]!, req, res).begin();
  };
}

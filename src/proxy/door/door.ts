import type { IncomingMessage, ServerResponse } from "node:http";
import { ClientReply } from "../client-reply.js";
import type { ProxyError } from "../error-body.js";
import { clientRequestId, newRequestId } from "../headers.js";
import { PROBES, type Gate } from "../own-ports.js";
import { ApiKey } from "./api-key.js";
import { headersInside, type HeaderRules } from "./client-headers.js";
import { framingFault, pathOf } from "./framing.js";
import { isPreflight, Origins } from "./origins.js";

/** Who is let in, and with what. */
export interface DoorOptions extends HeaderRules {
  /** Clients must show it; null = everybody may come. */
  readonly apiKey: string | null;
  /** Origins whose pages may use the proxy; `*` = any. */
  readonly corsOrigins: readonly string[];
  /** Path under which the proxy is served, without a slash at its end; empty for most. */
  readonly rootPath: string;
}

/** Nobody is asked for a key, and workers see what clients send. */
export const OPEN_DOOR: DoorOptions = {
  apiKey: null,
  corsOrigins: [],
  rootPath: "",
  forwardsAuthorization: true,
  workerKey: null,
  requestIdHeaders: ["x-request-id"],
};

const UNAUTHORIZED: ProxyError = {
  status: 401,
  type: "AuthenticationError",
  message: "the API key is missing or wrong, expected Authorization: Bearer KEY (--api-key)",
};
const FOREIGN_PAGE: ProxyError = {
  status: 403,
  type: "PermissionDeniedError",
  message: "pages of this origin may not use the proxy (--cors-allowed-origins)",
};

/** Looks at every request before anything else does: a request that is let in has one meaning and one sender. */
export class Door {
  private readonly options: DoorOptions;
  private readonly key: ApiKey | null;
  private readonly origins: Origins;

  constructor(options: DoorOptions) {
    this.options = options;
    this.key = options.apiKey === null ? null : new ApiKey(options.apiKey);
    this.origins = new Origins(options.corsOrigins);
  }

  /**
   * Lets a request in, its headers and target as they go on inside.
   *
   * @returns its path without the query, or null when it has been answered.
   */
  admit(req: IncomingMessage, res: ServerResponse, gate: Gate): string | null {
    const fault = framingFault(req);
    if (fault !== null) return refuse(req, res, fault);
    if (!this.origins.admit(req, res)) return refuse(req, res, FOREIGN_PAGE);
    if (isPreflight(req)) {
      req.resume();
      this.origins.preflight(req, res);
      return null;
    }
    const path = this.enter(req);
    if (
      this.key !== null &&
      gate !== "metrics" &&
      !PROBES.has(path) &&
      !this.key.matches(req.headers.authorization)
    ) {
      return refuse(req, res, UNAUTHORIZED, ["www-authenticate", 'Bearer, Basic realm="pdbench"']);
    }
    req.rawHeaders = headersInside(req.rawHeaders, this.options);
    return path;
  }

  /** Takes the root path off the target, where it has it. */
  private enter(req: IncomingMessage): string {
    const { rootPath } = this.options;
    const path = pathOf(req.url!);
    if (rootPath === "" || (path !== rootPath && !path.startsWith(`${rootPath}/`))) return path;
    req.url = req.url!.slice(rootPath.length);
    if (!req.url.startsWith("/")) req.url = `/${req.url}`;
    return pathOf(req.url);
  }
}

/** The connection goes with the request: what comes next on it may be part of this one. */
function refuse(req: IncomingMessage, res: ServerResponse, error: ProxyError, headers: string[] = []): null {
  req.resume();
  const id = clientRequestId(req.rawHeaders) ?? newRequestId();
  new ClientReply(res).fail(error, [...headers, "connection", "close", "x-request-id", id]);
  return null;
}

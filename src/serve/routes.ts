import { basename } from "node:path";
import { findResults } from "./find-results.js";
import { nameResults } from "./open-results.js";
import { indexPage } from "./pages/index-page.js";
import { resultsPage } from "./pages/results-page.js";
import { reportReply } from "./report-reply.js";
import type { Reply } from "./reply.js";
import type { ResultRows } from "./result-rows.js";

/** What the pages show. */
export interface Site {
  /** Real path of the folder. */
  readonly root: string;
  /** The folder as the user named it. */
  readonly folder: string;
  readonly rows: ResultRows;
  /** In every form of ours, and nowhere else. */
  readonly token: string;
}

interface Route {
  readonly get?: (site: Site, query: URLSearchParams) => Reply | Promise<Reply>;
  readonly post?: (site: Site, form: URLSearchParams) => Reply | Promise<Reply>;
}

/** Pages by their paths; what they are about is in the query, so that a path has nothing to decode. */
export const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/", { get: listResults }],
  ["/results", { get: showResults }],
  ["/report", { get: showReport }],
]);

/** Pages that stand in a frame of another page. */
export const FRAME_PATHS: ReadonlySet<string> = new Set(["/report"]);

async function listResults({ root, folder, rows }: Site): Promise<Reply> {
  const found = await findResults(root);
  return indexPage({ folder, rows: await rows.of(found.results), found });
}

async function showResults({ root }: Site, query: URLSearchParams): Promise<Reply> {
  const { paths } = await nameResults(root, query.getAll("of"));
  return resultsPage(
    paths.map((path) => (path === "." ? basename(root) : path)),
    paths,
  );
}

async function showReport({ root }: Site, query: URLSearchParams): Promise<Reply> {
  return reportReply(await nameResults(root, query.getAll("of")), query.get("format"));
}

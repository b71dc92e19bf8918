import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { InputError } from "../errors.js";
import type { RecommendOptions } from "../report/recommendation.js";
import { choicesOf, type ReportChoices } from "../report/report-choices.js";
import { findResults } from "./find-results.js";
import { insidePath, isRegularFile } from "./inside-path.js";
import { jobEvents } from "./job-events.js";
import { nameResults, type NamedResults, openResults } from "./open-results.js";
import { indexPage } from "./pages/index-page.js";
import { newSweepPage } from "./pages/new-sweep-page.js";
import { resultsPage } from "./pages/results-page.js";
import { sweepPage } from "./pages/sweep-page.js";
import { PageError } from "./page-error.js";
import { formProblem, freeName, planForm, planWords, type PlannedSweep } from "./plan-form.js";
import { reportReply } from "./report-reply.js";
import { redirectReply, textReply, type Reply } from "./reply.js";
import type { ResultRows } from "./result-rows.js";
import { EMPTY_FORM, formOf, readFormFile, type SweepForm } from "./sweep-form.js";
import { isActive, type SweepJobs } from "./sweep-jobs.js";

/** What the pages show. */
export interface Site {
  /** Real path of the folder. */
  readonly root: string;
  /** The folder as the user named it. */
  readonly folder: string;
  readonly rows: ResultRows;
  /** In every form of ours, and nowhere else. */
  readonly token: string;
  readonly jobs: SweepJobs;
}

interface Route {
  readonly get?: (site: Site, query: URLSearchParams) => Reply | Promise<Reply>;
  readonly post?: (site: Site, form: URLSearchParams) => Reply | Promise<Reply>;
}

/** Sweeps of this server that have ended are in the list of results; the latest also say how they ended. */
const ENDED_SWEEPS_LISTED = 3;

/** Pages by their paths; what they are about is in the query, so that a path has nothing to decode. */
export const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/", { get: listResults }],
  ["/results", { get: showResults }],
  ["/report", { get: showReport }],
  ["/sweeps/new", { get: newSweep }],
  ["/sweeps/check", { post: checkSweep }],
  ["/sweeps", { post: startSweep }],
  ["/sweep", { get: showSweep }],
  ["/sweep/stop", { post: stopSweep }],
  ["/events", { get: ({ jobs }) => jobEvents(jobs) }],
]);

/** Pages that stand in a frame of another page. */
export const FRAME_PATHS: ReadonlySet<string> = new Set(["/report"]);

async function listResults({ root, folder, rows, jobs, token }: Site): Promise<Reply> {
  const found = await findResults(root);
  const states = jobs.states();
  // What runs is not also shown as unfinished.
  const running = new Set(states.filter(isActive).map(({ out }) => out));
  const listed = found.results.filter(({ path }) => !running.has(path));
  return indexPage({
    folder,
    rows: await rows.of(listed),
    found,
    jobs: states.filter((job, i) => isActive(job) || i < ENDED_SWEEPS_LISTED),
    token,
  });
}

async function showResults({ root }: Site, query: URLSearchParams): Promise<Reply> {
  const named = await nameResults(root, query.getAll("of"));
  const { paths, directories } = named;
  return resultsPage({
    names: paths.map((path) => (path === "." ? basename(root) : path)),
    paths,
    sweepFrom: paths.length === 1 ? sweepFrom(paths[0]!, directories[0]!) : null,
    choices: await choicesIn(named),
    chosen: chosenIn(query),
  });
}

/** None where the results cannot be read: the report's frame says why. */
async function choicesIn(named: NamedResults): Promise<ReportChoices> {
  try {
    return choicesOf(await openResults(named));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { baselines: [], objectives: [] };
  }
}

/** What an address asks of a report; an empty choice is none. */
function chosenIn(query: URLSearchParams): RecommendOptions {
  const [baseline, objective] = [query.get("baseline") ?? "", query.get("objective") ?? ""];
  return { ...(baseline !== "" && { baseline }), ...(objective !== "" && { objective }) };
}

async function showReport({ root }: Site, query: URLSearchParams): Promise<Reply> {
  return reportReply(await nameResults(root, query.getAll("of")), chosenIn(query), query.get("format"));
}

/** Where a form is that starts a sweep from the settings of a result; null where the result does not hold them. */
function sweepFrom(path: string, directory: string): string | null {
  if (readFormFile(directory) !== null)
    return `/sweeps/new?${new URLSearchParams({ from: path }).toString()}`;
  if (!isRegularFile(join(directory, "scenario.yaml"))) return null;
  const scenario = `file:${path === "." ? "" : `${path}/`}scenario.yaml`;
  return `/sweeps/new?${new URLSearchParams({ scenario }).toString()}`;
}

async function newSweep(site: Site, query: URLSearchParams): Promise<Reply> {
  return formPage(site, givenForm(site, query), null);
}

/** The form that a link asks for: of a sweep of this server, of a folder, or filled in by the link itself. */
function givenForm({ root, jobs }: Site, query: URLSearchParams): SweepForm {
  const ofJob = jobs.formOf(Number(query.get("job")));
  if (ofJob !== null) return ofJob;
  const from = query.get("from");
  const directory = from === null ? null : insidePath(root, from);
  const kept = directory === null ? null : readFormFile(directory);
  // The folder may have been renamed since.
  if (kept !== null && !existsSync(join(directory!, "sweep.json"))) return { ...kept, out: from! };
  const form = kept ?? { ...EMPTY_FORM, ...(query.has("scenario") ? formOf(query) : {}) };
  const taken = jobs.states().map(({ out }) => out);
  return { ...form, out: freeName(root, form.scenario, taken) };
}

async function formPage(
  { root, folder, token }: Site,
  form: SweepForm,
  problem: string | null,
): Promise<Reply> {
  return newSweepPage({ folder, form, found: await findResults(root), token, problem });
}

function checkSweep({ root, folder }: Site, fields: URLSearchParams): Reply {
  const found = planOrProblem(root, folder, formOf(fields));
  const answer =
    "problem" in found
      ? found
      : { words: [planWords(found.plan), ...found.plan.warnings].join(". "), command: found.command };
  return textReply(200, "application/json", JSON.stringify(answer));
}

function startSweep(site: Site, fields: URLSearchParams): Reply | Promise<Reply> {
  const form = formOf(fields);
  const found = planOrProblem(site.root, site.folder, form);
  if ("problem" in found) return formPage(site, form, found.problem);
  return redirectReply(`/sweep?id=${site.jobs.start(found)}`);
}

function planOrProblem(
  root: string,
  folder: string,
  form: SweepForm,
): PlannedSweep | { readonly problem: string } {
  try {
    return planForm(root, folder, form);
  } catch (error) {
    return { problem: formProblem(error) };
  }
}

function showSweep({ jobs, token }: Site, query: URLSearchParams): Reply {
  const id = Number(query.get("id"));
  const job = jobs.states().find((one) => one.id === id);
  if (job === undefined) throw noSuchSweep();
  return sweepPage(job, jobs.commandOf(id), token);
}

function stopSweep({ jobs }: Site, fields: URLSearchParams): Reply {
  const id = Number(fields.get("id"));
  if (jobs.formOf(id) === null) throw noSuchSweep();
  jobs.stop(id);
  return redirectReply(`/sweep?id=${id}`);
}

function noSuchSweep(): PageError {
  const nextStep =
    "Sweeps are numbered anew when pdbench serve starts; the list has the results of all of them.";
  return new PageError(404, "There is no such sweep.", nextStep);
}

import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { InputError } from "../errors.js";
import type { Summary } from "../measure/summary.js";
import { formatNumber } from "../report/format.js";
import { metricNamed } from "../report/metrics.js";
import { statisticsOf } from "../report/point-statistics.js";
import { readResults } from "../report/read-results.js";
import { reportOnSweep } from "../report/write-report.js";
import { pointName, shortNameOf, valueWords } from "../report/setting-words.js";
import { SHARD_FILE } from "../sweep/shards.js";
import { readSweepLogState, SWEEP_LOG_FILE } from "../sweep/sweep-log.js";
import type { OptimizeResult } from "../sweep/search/optimize.js";
import type { SweepResult } from "../sweep/sweep-result.js";
import type { FoundResult, ResultKind } from "./find-results.js";
import { isRegularFile } from "./inside-path.js";
import { readFormFile } from "./sweep-form.js";

/** The figures that a list of results shows. */
export const ROW_METRICS = ["goodput", "ttft_ms.p50", "ttft_ms.p90", "itl_ms.p90", "hit_rate"].map(
  metricNamed,
);

/** A result as a list shows it. */
export interface ResultRow extends FoundResult {
  /** Its kind in words, which tell a live run from a simulated one and a search from a sweep. */
  readonly what: string;
  readonly scenario: string;
  readonly trace: string;
  /** Policies and threshold of a run; what a sweep varies. */
  readonly settings: string;
  readonly seeds: string;
  readonly modifiedMs: number;
  /** As `ROW_METRICS`; null = none. Those of a sweep are of the point it recommends. */
  readonly figures: readonly (number | null)[];
  /** What else there is to say, e.g. which point the figures are of; or why there are none. */
  readonly remark: string;
  /** It has a report. */
  readonly canOpen: boolean;
  /** It is unfinished and was started from a form, which can be sent again. */
  readonly canGoOn: boolean;
}

type Words = Omit<ResultRow, keyof FoundResult | "modifiedMs">;

/** Beyond this, JSON cannot be read as one text; and nobody would wait for the page. */
const MOST_BYTES = 400 << 20;

/** The file by which a result of this kind is known. */
export const MARK_FILES: Readonly<Record<ResultKind, string>> = {
  run: "summary.json",
  sweep: "sweep.json",
  shard: SHARD_FILE,
  "unfinished sweep": SWEEP_LOG_FILE,
};

/** Reads results into rows, and again only those whose file has changed since. */
export class ResultRows {
  private readonly root: string;
  private readonly known = new Map<string, { readonly stamp: string; readonly row: ResultRow }>();

  /** @param root real path of the folder that the results lie below */
  constructor(root: string) {
    this.root = root;
  }

  /** A row for each result, the newest first. A result that cannot be read says so. */
  async of(results: readonly FoundResult[]): Promise<readonly ResultRow[]> {
    const rows: ResultRow[] = [];
    for (const result of results) {
      const row = await this.rowOf(result);
      if (row !== null) rows.push(row);
    }
    const paths = new Set(results.map(({ path }) => path));
    for (const path of this.known.keys()) if (!paths.has(path)) this.known.delete(path);
    return rows.sort((a, b) => b.modifiedMs - a.modifiedMs || (a.path < b.path ? -1 : 1));
  }

  /** null where the result is gone meanwhile. */
  private async rowOf(result: FoundResult): Promise<ResultRow | null> {
    const directory = join(this.root, result.path);
    const file = join(directory, MARK_FILES[result.kind]);
    const found = await stat(file).catch(() => null);
    if (found === null) return null;
    const stamp = `${result.kind} ${found.mtimeMs} ${found.size} ${found.ino}`;
    const known = this.known.get(result.path);
    if (known?.stamp === stamp) return known.row;
    const words = await readWords(result, directory, found.size);
    const row = { ...result, ...words, modifiedMs: found.mtimeMs };
    this.known.set(result.path, { stamp, row });
    return row;
  }
}

async function readWords({ kind }: FoundResult, directory: string, bytes: number): Promise<Words> {
  try {
    if (!isRegularFile(join(directory, MARK_FILES[kind]))) return problemWords(kind, "its file is a link");
    if (bytes > MOST_BYTES) return problemWords(kind, "too large for this page: use pdbench report");
    if (kind === "shard") return problemWords(kind, "one share of a sweep: pdbench merge puts all together");
    if (kind === "unfinished sweep") return await unfinishedWords(directory);
    const results = await readResults(directory);
    return results.kind === "run" ? runWords(results.summary) : sweepWords(results.sweep, results.search);
  } catch (error) {
    // A file of that name may hold anything.
    const reason =
      error instanceof InputError ? error.message.replace(`${directory}/`, "") : "its file is damaged";
    return problemWords(kind, reason);
  }
}

function problemWords(what: string, remark: string): Words {
  const figures = ROW_METRICS.map(() => null);
  return {
    what,
    scenario: "",
    trace: "",
    settings: "",
    seeds: "",
    figures,
    remark,
    canOpen: false,
    canGoOn: false,
  };
}

function runWords(summary: Summary): Words {
  const figures = ROW_METRICS.map((metric) => metric.read(summary));
  return {
    what: serverOf(summary.settings) === "" ? "run" : "live run",
    scenario: summary.scenario,
    trace: traceOf(summary.settings),
    settings: routerWords(summary.settings),
    seeds: textOf(at(summary.settings, "seed")),
    figures,
    remark: lostWords(summary),
    canOpen: true,
    canGoOn: false,
  };
}

function lostWords({ requests: { failed, cancelled } }: Summary): string {
  const lost = [failed > 0 ? `${failed} failed` : "", cancelled > 0 ? `${cancelled} cancelled` : ""];
  return lost.filter((words) => words !== "").join(", ");
}

function sweepWords(sweep: SweepResult, search: OptimizeResult | null): Words {
  const best = reportOnSweep(sweep, {}, search).recommendation?.point ?? null;
  return {
    what: search === null ? "sweep" : "search",
    scenario: sweep.name,
    trace: traceOf(sweep.scenario),
    settings: axesWords(search ?? sweep),
    seeds: seedWords(sweep.seeds),
    figures: ROW_METRICS.map((metric) => (best === null ? null : (statisticsOf(best, metric)?.mean ?? null))),
    remark:
      best === null ? "no run succeeded" : `${foundWords(search)}figures of ${pointName(best.settings)}`,
    canOpen: true,
    canGoOn: false,
  };
}

/** `largest load 42.1 requests/s, `: what a search was for; empty for a sweep, and where it found nothing. */
function foundWords(search: OptimizeResult | null): string {
  const found = search?.recommended;
  if (found == null) return "";
  if (found.gpus !== undefined) return `cheapest fleet: ${found.gpus} GPUs, `;
  const { load } = found;
  if (load === undefined) return "";
  const what =
    load.requests_per_s === null
      ? `${load.knob} ${formatNumber(load.sustained)}`
      : `${formatNumber(load.requests_per_s)} requests/s`;
  return `largest load: ${what}, `;
}

async function unfinishedWords(directory: string): Promise<Words> {
  const { fingerprint, runsDone } = await readSweepLogState(directory);
  const points = fingerprint.axes.reduce((product, axis) => product * axis.values.length, 1);
  return {
    ...problemWords("unfinished sweep", `${runsDone} of ${points * fingerprint.seeds.length} runs done`),
    scenario: fingerprint.scenario.name,
    trace: traceOf(fingerprint.scenario),
    settings: axesWords(fingerprint),
    seeds: seedWords(fingerprint.seeds),
    canGoOn: readFormFile(directory) !== null,
  };
}

/** `routing_threshold x 5, policy x 3`. */
function axesWords({ axes }: Pick<SweepResult, "axes">): string {
  const words = axes.map(({ setting, values }) => {
    const name = shortNameOf(setting);
    return values.length === 1 ? `${name} ${valueWords(values[0]!)}` : `${name} x ${values.length}`;
  });
  return words.join(", ");
}

function seedWords(seeds: readonly number[]): string {
  return seeds.length > 3 ? `${seeds.length} seeds` : seeds.join(", ");
}

/** The policies of a run, and from which length on it disaggregates. */
function routerWords(settings: unknown): string {
  // What a server that was measured goes by is its own: the settings of the run say nothing of it.
  const url = serverOf(settings);
  if (url !== "") return `live: ${url}`;
  const [prefill, decode] = ["prefill_policy", "decode_policy"].map((name) =>
    textOf(at(settings, "router", name)),
  );
  const policies = prefill === decode ? [prefill] : [prefill, decode];
  const threshold = at(settings, "router", "decider", "routing_threshold");
  const kind = textOf(at(settings, "router", "decider", "kind"));
  const decider = typeof threshold === "number" ? `threshold ${valueWords(threshold)}` : kind;
  return [policies.filter((policy) => policy !== "").join(" / "), decider]
    .filter((words) => words !== "")
    .join(", ");
}

/** The server that a run measured; empty where it was simulated. */
function serverOf(settings: unknown): string {
  return textOf(at(settings, "replay", "url"));
}

/** The file of the requests, or how they were generated. */
function traceOf(settings: unknown): string {
  const trace = at(settings, "workload", "trace");
  if (typeof trace === "string") return basename(trace);
  const kind = textOf(at(settings, "workload", "generate", "kind"));
  return kind === "" ? "" : `generated: ${kind}`;
}

/** What settings, which an older version may have written, hold at a path. */
function at(settings: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (block, name) =>
      typeof block === "object" && block !== null ? (block as Record<string, unknown>)[name] : null,
    settings,
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

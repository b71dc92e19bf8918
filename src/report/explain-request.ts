import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { InputError } from "../errors.js";
import { type LegDecision, NOT_ROUTED } from "./leg-decisions.js";
import { readCsv } from "./run-files-reader.js";

/** A leg's decision as `decisions.jsonl` has it. */
export interface LoggedLeg {
  readonly worker: string;
  readonly policy: string;
  readonly branch: string;
  /** Numbers, or the id of a worker. */
  readonly figures: Readonly<Record<string, number | string>>;
}

/** A worker as the decision found it; statistics only where the router had some. */
export interface LoggedCandidate {
  readonly worker: string;
  readonly open: number;
  readonly open_tokens: number;
  readonly prefill_tokens: number;
  /** Null where the router keeps no index of prefixes for the leg. */
  readonly cached_tokens: number | null;
  readonly running?: number;
  readonly waiting?: number;
  readonly kv_usage?: number;
  readonly stats_at_ms?: number;
}

/** A line of `decisions.jsonl`. */
export interface LoggedDecision {
  readonly at_ms: number;
  readonly request: number;
  readonly path: "disaggregated" | "decode_only" | "rejected";
  readonly decider: string;
  readonly branch: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly prefill: LoggedLeg | null;
  readonly decode: LoggedLeg | null;
  /** When the decode worker was chosen, where that was when the prefill had ended. */
  readonly decode_at_ms?: number;
  /** Absent in logs of earlier versions. */
  readonly candidates?: Readonly<Record<"prefill" | "decode", readonly LoggedCandidate[]>>;
}

/** A request of a run: why it went where it went, and its row of `requests.csv` by column. */
export interface ExplainedRequest {
  readonly decision: LoggedDecision;
  readonly row: Readonly<Record<string, string>>;
}

/**
 * Finds a request in a run directory.
 *
 * @param id number of the request, as in the `id` column of `requests.csv`
 * @throws InputError where the directory is no run, has no decisions, or does not know the request
 */
export async function readExplainedRequest(directory: string, id: number): Promise<ExplainedRequest> {
  if (!existsSync(directory)) throw new InputError(`${directory}: no such folder, expected a run directory`);
  const rows = await readCsv(join(directory, "requests.csv"), ["id", "status"], (row) => row);
  if (rows === null) {
    throw new InputError(
      `${directory}: has no requests.csv, expected a directory that \`pdbench simulate --out\` wrote`,
    );
  }
  const log = join(directory, "decisions.jsonl");
  if (!existsSync(log)) {
    throw new InputError(
      `${directory}: has no decisions.jsonl; run again with --decisions: ` +
        `pdbench simulate ${join(directory, "scenario.yaml")} --out NEW --decisions`,
    );
  }
  const row = rows.find((candidate) => candidate["id"] === String(id));
  const decision = row === undefined ? null : await findDecision(log, id);
  if (row === undefined || decision === null) {
    throw new InputError(
      `--request: got ${id}, expected the id of a request of ${directory} (0 to ${rows.length - 1})`,
    );
  }
  return { decision, row };
}

async function findDecision(log: string, id: number): Promise<LoggedDecision | null> {
  const lines = createInterface({ input: createReadStream(log), crlfDelay: Infinity });
  let number = 0;
  try {
    for await (const line of lines) {
      number++;
      if (!line.includes(`"request":${id},`)) continue;
      const decision = parseLine(line, `${log}:${number}`);
      if (decision.request === id) return decision;
    }
  } finally {
    lines.close();
  }
  return null;
}

/** What the pages of a run tell of its decision log. */
export interface LoggedDecisions {
  /** Of some requests, without the workers that stood for choice. */
  readonly byRequest: ReadonlyMap<number, LoggedDecision>;
  /** Of every request. */
  readonly legs: readonly LegDecision[];
}

/** The last field of a line, and most of it: what the router knew of every worker. */
const CANDIDATES = ',"candidates":';

/**
 * The decisions of a run, in detail those about the requests `ids`; null where the directory has no log.
 * @throws InputError for a line that is not JSON
 */
export async function readDecisions(
  directory: string,
  ids: ReadonlySet<number>,
): Promise<LoggedDecisions | null> {
  const log = join(directory, "decisions.jsonl");
  if (!existsSync(log)) return null;
  const byRequest = new Map<number, LoggedDecision>();
  const legs: LegDecision[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(log), crlfDelay: Infinity })) {
    number++;
    const end = line.indexOf(CANDIDATES);
    const decision = parseLine(end === -1 ? line : `${line.slice(0, end)}}`, `${log}:${number}`);
    if (ids.has(decision.request)) byRequest.set(decision.request, decision);
    legs.push(...legsOf(decision));
  }
  return { byRequest, legs };
}

function legsOf({ at_ms, path, prefill, decode, decode_at_ms = at_ms }: LoggedDecision): LegDecision[] {
  if (path === "rejected") {
    return [{ timeS: at_ms / 1000, leg: "decode", worker: null, branch: NOT_ROUTED }];
  }
  const legs = [
    ["prefill", prefill, at_ms],
    ["decode", decode, decode_at_ms],
  ] as const;
  return legs.flatMap(([leg, chosen, atMs]) =>
    chosen === null ? [] : [{ timeS: atMs / 1000, leg, worker: chosen.worker, branch: chosen.branch }],
  );
}

function parseLine(line: string, place: string): LoggedDecision {
  try {
    return JSON.parse(line) as LoggedDecision;
  } catch (error) {
    throw new InputError(`${place}: not a line of JSON: ${(error as Error).message}`);
  }
}

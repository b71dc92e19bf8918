/** What `pdbench doctor` finds out of the machine; `doctor.ts` gathers it. */
export interface MachineFacts {
  readonly pdbenchVersion: string;
  readonly nodeVersion: string;
  /** `engines.node` of package.json, e.g. `>=20.19.0`. */
  readonly nodeWanted: string;
  readonly cores: number;
  /** What this process may use: of the machine, or of its container. */
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly heapLimitBytes: number;
  /** Folders where pdbench writes, and why that does not work, or null. */
  readonly writable: readonly { readonly folder: string; readonly problem: string | null }[];
  /** Path of the program, or null. */
  readonly chromium: string | null;
  readonly redisServer: string | null;
  readonly redisUrl: string | null;
  readonly zeromq: boolean;
  readonly terminal: { readonly isTerminal: boolean; readonly columns: number; readonly colour: boolean };
  /** The folder of shared data, or null where there is none. */
  readonly sharedData: string | null;
  /** Requests and time of a small run, or what went wrong. */
  readonly trial: { readonly requests: number; readonly wallS: number } | { readonly problem: string };
}

/** One line of the result. A `note` limits pdbench, a `problem` stops it. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "note" | "problem";
  readonly found: string;
  /** What to do next; null where there is nothing to do. */
  readonly next: string | null;
}

const GIB = 2 ** 30;

/** A 100,000-request trace with its blocks and results takes about so much. */
const COMFORTABLE_HEAP_BYTES = 2 * GIB;

/** Judges what was found out, one check a line. */
export function checksOf(facts: MachineFacts): readonly Check[] {
  return [
    ok("pdbench", facts.pdbenchVersion),
    nodeCheck(facts),
    facts.cores > 1
      ? ok("cores", `${facts.cores}`)
      : note("cores", "1", "sweeps run one point at a time; more cores make them faster by as much"),
    memoryCheck(facts),
    heapCheck(facts),
    ...facts.writable.map(({ folder, problem }) =>
      problem === null
        ? ok("write access", folder)
        : bad("write access", `${folder}: ${problem}`, "make it writable, or run pdbench in another folder"),
    ),
    trialCheck(facts),
    terminalCheck(facts),
    ...optionalChecks(facts),
  ];
}

function nodeCheck({ nodeVersion, nodeWanted }: MachineFacts): Check {
  const wanted = nodeWanted.replace(/^>=/, "");
  return isAtLeast(nodeVersion, wanted)
    ? ok("node", nodeVersion)
    : bad("node", nodeVersion, `install Node ${wanted} or newer (https://nodejs.org)`);
}

/** Whether version `a` is `b` or newer; both are dotted numbers. */
function isAtLeast(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split(".").map((part) => parseInt(part, 10)));
  for (const [index, wanted] of right!.entries()) {
    const found = left![index] ?? 0;
    if (found !== wanted) return found > wanted;
  }
  return true;
}

function memoryCheck({ memoryBytes, freeMemoryBytes, cores }: MachineFacts): Check {
  const found = `${gib(memoryBytes)}, ${gib(freeMemoryBytes)} of it free`;
  if (freeMemoryBytes >= GIB) return ok("memory", found);
  return note("memory", found, `give sweeps fewer threads than ${cores} (--workers 1), or free some memory`);
}

function heapCheck({ heapLimitBytes }: MachineFacts): Check {
  const found = gib(heapLimitBytes);
  if (heapLimitBytes >= COMFORTABLE_HEAP_BYTES) return ok("heap limit", found);
  return note("heap limit", found, "for large traces: NODE_OPTIONS=--max-old-space-size=4096");
}

function trialCheck({ trial }: MachineFacts): Check {
  if ("problem" in trial) {
    return bad("trial run", trial.problem, "reinstall pdbench (npm ci); if it stays, please report it");
  }
  return ok("trial run", `${trial.requests} requests simulated in ${trial.wallS.toFixed(2)} s`);
}

function terminalCheck({ terminal: { isTerminal, columns, colour } }: MachineFacts): Check {
  if (!isTerminal) return ok("terminal", "none: output is plain and 100 columns wide");
  const found = `${columns} columns, ${colour ? "colour" : "no colour"}`;
  if (columns >= 80) return ok("terminal", found);
  return note("terminal", found, "make it 80 columns or wider, so that tables keep all their columns");
}

function optionalChecks({ redisServer, redisUrl, zeromq, chromium, sharedData }: MachineFacts): Check[] {
  return [
    redisUrl !== null || redisServer !== null
      ? ok("redis", redisUrl === null ? redisServer! : "PDBENCH_REDIS_URL is set")
      : note("redis", "not found", "needed only for sweeps over several machines (docs/sweeps.md)"),
    zeromq
      ? ok("zeromq", "found")
      : note("zeromq", "not found", "needed only for KV events of mock-engines: npm install zeromq"),
    chromium !== null
      ? ok("chromium", chromium)
      : note("chromium", "not found", "needed only by pdbench's own browser tests: apt install chromium"),
    sharedData !== null
      ? ok("shared data", sharedData)
      : note("shared data", "not found", "needed only by tests against real traces and runs (README)"),
  ];
}

function ok(name: string, found: string): Check {
  return { name, state: "ok", found, next: null };
}

function note(name: string, found: string, next: string): Check {
  return { name, state: "note", found, next };
}

function bad(name: string, found: string, next: string): Check {
  return { name, state: "problem", found, next };
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

/** One line a check: its name, what was found, and what to do next where there is something to do. */
export function checksText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, state, found, next }) => {
      const line = `${state.padEnd(7)}  ${name.padEnd(width)}  ${found}`;
      return next === null ? `${line}\n` : `${line}\n${" ".repeat(width + 11)}-> ${next}\n`;
    })
    .join("");
}

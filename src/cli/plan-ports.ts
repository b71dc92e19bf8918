import { Command } from "commander";
import { InputError, WorkError } from "../errors.js";
import {
  DEFAULT_PORT_BASE,
  planPorts,
  type PortCollision,
  type PortDeployment,
  type PortPlan,
  type PortRange,
} from "../proxy/port-plan.js";
import { textTable, type TextColumn } from "../report/text-table.js";
import { didYouMean } from "../values/nearest-name.js";

const HELP = `
DEPLOYMENT is NAME:KEY=VALUE,... with these keys:
  replicas=N  engines of the deployment (default 1)
  tp=N, pp=N  tensor and pipeline parallel size; replica r begins at base + r x tp x pp (default 1)
  dp=N        data-parallel ranks instead of replicas; rank r is at base + r
  base=PORT   NIXL_SIDE_CHANNEL_PORT_BASE (default 20000 for prefill, 22000 for decode)
  port=PORT   VLLM_NIXL_SIDE_CHANNEL_PORT, which wins over all and is the same for every engine
  host=NAME   only deployments of one host can collide (default localhost)
A name that begins with prefill or decode has that leg's base. Exit status 1 where two engines want one port.

Examples:
  $ pdbench plan-ports prefill:replicas=4,tp=2 decode:replicas=2,tp=4
  $ pdbench plan-ports prefill:base=20000,tp=2 decode:base=20001,tp=2 --json
`;

const KEYS = ["replicas", "tp", "pp", "dp", "base", "port", "host"];
const NUMBERS: readonly string[] = KEYS.filter((key) => key !== "host");

/** `pdbench plan-ports DEPLOYMENT...`: the NIXL side-channel ports of colocated engines, and whether they collide. */
export function planPortsCommand(): Command {
  return new Command("plan-ports")
    .description("Checks the NIXL side-channel ports of engines on one host for collisions.")
    .argument("<deployment...>", "engines started alike, e.g. prefill:replicas=4,tp=2")
    .option("--json", "print ranges and collisions as JSON")
    .addHelpText("after", HELP)
    .action((texts: string[], { json }: { json?: true }) => {
      const plan = planOf(texts.map(parseDeployment));
      process.stdout.write(json === true ? `${JSON.stringify(plan, null, 2)}\n` : planText(plan));
      const count = plan.collisions.length;
      if (count > 0) {
        throw new WorkError(
          `${count === 1 ? "1 pair of engines wants" : `${count} pairs of engines want`} the same ports`,
        );
      }
    });
}

function planOf(deployments: readonly PortDeployment[]): PortPlan {
  const names = deployments.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InputError(`${twice}: given twice, expected a name for each deployment`);
  try {
    return planPorts(deployments);
  } catch (error) {
    if (error instanceof RangeError) throw new InputError(error.message);
    throw error;
  }
}

function parseDeployment(text: string): PortDeployment {
  const [, name, settings] = /^([^:]+)(?::(.*))?$/s.exec(text) ?? [];
  if (name === undefined) throw new InputError(`"${text}": expected NAME:KEY=VALUE,...`);
  const values = parseSettings(name, settings ?? "");
  const number = (key: string): number | undefined => values.get(key) as number | undefined;
  if (number("dp") !== undefined && number("replicas") !== undefined) {
    throw new InputError(`${name}: replicas and dp given, expected one of them`);
  }
  return {
    name,
    host: String(values.get("host") ?? "localhost"),
    base: number("base") ?? defaultBase(name, number("port")),
    engines: number("dp") ?? number("replicas") ?? 1,
    offsetBy: number("dp") === undefined ? "replica" : "data_parallel_rank",
    devices: (number("tp") ?? 1) * (number("pp") ?? 1),
    explicitPort: number("port") ?? null,
  };
}

function parseSettings(name: string, text: string): Map<string, number | string> {
  const values = new Map<string, number | string>();
  for (const setting of text.split(",").filter((part) => part !== "")) {
    const [key, value] = splitAtEquals(setting);
    if (!KEYS.includes(key)) {
      const hint = didYouMean(key, KEYS) || `, expected one of ${KEYS.join(", ")}`;
      throw new InputError(`${name}: ${key}: unknown key${hint}`);
    }
    values.set(key, NUMBERS.includes(key) ? wholeNumber(name, key, value) : value);
  }
  return values;
}

function splitAtEquals(setting: string): [key: string, value: string] {
  const equals = setting.indexOf("=");
  return equals < 0 ? [setting, ""] : [setting.slice(0, equals).trim(), setting.slice(equals + 1).trim()];
}

function wholeNumber(name: string, key: string, text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1)
    throw new InputError(`${name}: ${key}: got "${text}", expected a whole number of 1 to 99999`);
  return number;
}

function defaultBase(name: string, port: number | undefined): number {
  if (name.startsWith("prefill")) return DEFAULT_PORT_BASE.prefill;
  if (name.startsWith("decode")) return DEFAULT_PORT_BASE.decode;
  if (port !== undefined) return port;
  throw new InputError(
    `${name}: base is missing, expected base=PORT, or a name that begins with prefill or decode`,
  );
}

const COLUMNS: readonly TextColumn[] = [
  { group: "", header: "host", align: "left" },
  { group: "", header: "deployment", align: "left" },
  { group: "", header: "engine", align: "right" },
  { group: "", header: "ports", align: "right" },
  { group: "", header: "collides with", align: "left" },
];

function planText({ ranges, collisions }: PortPlan): string {
  const rows = ranges.map((range) => [
    range.host,
    range.deployment,
    String(range.engine),
    portsOf(range),
    collisions.flatMap((collision) => otherSide(collision, range)).join(", "),
  ]);
  const table = textTable(COLUMNS, rows);
  return `${[...table.header, ...table.rows].join("\n")}\n`;
}

function otherSide({ between: [one, two], ...ports }: PortCollision, range: PortRange): string[] {
  if (range !== one && range !== two) return [];
  const other = range === one ? two : one;
  return [`${other.deployment} ${other.engine} (${portsOf(ports)})`];
}

function portsOf({ first, last }: { readonly first: number; readonly last: number }): string {
  return first === last ? String(first) : `${first}-${last}`;
}

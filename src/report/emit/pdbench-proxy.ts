import type { ParameterValue } from "../../routing/parameters.js";
import { placeholders, type Emission, type EmitTarget } from "./emission.js";
import { settingsOfBlock, type Wanted } from "./wanted.js";

/** Parameters with a flag of their own, where every leg that has one wants the same. */
const FLAGS: Readonly<Record<string, string>> = {
  cache_threshold: "--cache-threshold",
  balance_abs_threshold: "--balance-abs-threshold",
  balance_rel_threshold: "--balance-rel-threshold",
};

/** A live router cannot poll its engines more often. */
const SHORTEST_POLL_MS = 50;

/** Our own live router: everything can be expressed. */
export const pdbenchProxy: EmitTarget = {
  name: "pdbench",
  summary: "command line of pdbench proxy",
  emit(wanted: Wanted): Emission {
    const { config, workers } = wanted;
    const prefill = config.decider.name === "never" ? [] : placeholders("prefill", workers.prefill);
    const { prefillPolicy, decodePolicy } = config;
    const policies =
      prefillPolicy.name === decodePolicy.name
        ? [["--policy", prefillPolicy.name]]
        : [
            ["--prefill-policy", prefillPolicy.name],
            ["--decode-policy", decodePolicy.name],
          ];
    return {
      product: "pdbench",
      form: {
        command: {
          program: ["pdbench", "proxy"],
          flags: [
            ...(prefill.length === 0 ? [] : [["--prefill", ...prefill]]),
            ["--decode", ...placeholders("decode", workers.decode)],
            ["--decider", config.decider.name],
            ...policies,
            ...parameterFlags(wanted),
            ...(wanted.statsIntervalMs === null
              ? []
              : [
                  [
                    "--engine-stats-interval",
                    String(Math.max(SHORTEST_POLL_MS, wanted.statsIntervalMs) / 1000),
                  ],
                ]),
          ],
        },
      },
      differences: [],
      notes:
        wanted.statsIntervalMs !== null && wanted.statsIntervalMs < SHORTEST_POLL_MS
          ? [
              `the run read statistics every ${wanted.statsIntervalMs} ms, over a network it is ${SHORTEST_POLL_MS}`,
            ]
          : [],
    };
  },
};

/** Flags for what is not at its default with the decider and policies chosen. */
function parameterFlags({ config, settings }: Wanted): string[][] {
  const defaults = settingsOfBlock({
    decider: config.decider.name,
    prefill_policy: config.prefillPolicy.name,
    decode_policy: config.decodePolicy.name,
  });
  const given = [...settings].filter(
    ([path, value]) => path === "decider.routing_threshold" || defaults.get(path) !== value,
  );
  const flags = new Map<string, string[]>();
  for (const [path, value] of given) {
    const flag = flagOf(path, value, settings);
    if (flag === null) flags.set(path, ["--set", `${path}=${String(value)}`]);
    else flags.set(flag, [flag, String(value)]);
  }
  return [...flags.values()];
}

function flagOf(path: string, value: ParameterValue, settings: Wanted["settings"]): string | null {
  if (path === "decider.routing_threshold") return "--routing-threshold";
  const [leg, name] = path.split(".");
  if ((leg !== "prefill" && leg !== "decode") || name === undefined || FLAGS[name] === undefined) return null;
  const other = settings.get(`${leg === "prefill" ? "decode" : "prefill"}.${name}`);
  return other === undefined || other === value ? FLAGS[name] : null;
}

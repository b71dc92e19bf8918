import { basename, relative } from "node:path";
import { stringify } from "yaml";
import { isProfileFile } from "./profiles.js";
import type { Scenario } from "./schema.js";

/**
 * The scenario as YAML with every default written out. Loading it again gives the same run.
 *
 * @param directory where the file is going to stand: paths of traces and profiles are made relative to it
 */
export function scenarioToYaml(scenario: Scenario, directory: string): string {
  const tree = mapPaths(scenario, (path) => relative(directory, path) || ".");
  return stringify(tree, { lineWidth: 0, aliasDuplicateObjects: false });
}

/**
 * The settings in force as results state them: files go by their name, so that results do not depend on
 * where a run was made.
 */
export function settingsOf(scenario: Scenario): Scenario {
  return mapPaths(scenario, (path) => basename(path));
}

function mapPaths(scenario: Scenario, place: (path: string) => string): Scenario {
  const { prefill, decode } = scenario.fleet;
  const { trace } = scenario.workload;
  const profile = (name: string): string => (isProfileFile(name) ? place(name) : name);
  return {
    ...scenario,
    fleet: {
      prefill: { ...prefill, profile: profile(prefill.profile) },
      decode: { ...decode, profile: profile(decode.profile) },
    },
    workload: { ...scenario.workload, trace: trace === null ? null : place(trace) },
  };
}

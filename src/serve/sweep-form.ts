import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isRegularFile } from "./inside-path.js";

/** What one fills in to start a sweep, as text; empty = not given. */
export interface SweepForm {
  /** `name:NAME` of one that comes with pdbench, or `file:PATH` below the folder that is shown. */
  readonly scenario: string;
  /** Below the folder that is shown. */
  readonly trace: string;
  readonly routingThreshold: string;
  readonly policies: readonly string[];
  readonly seeds: string;
  readonly requests: string;
  /** `path.to.setting=value`, one a line. */
  readonly settings: string;
  /** Folder of the results, below the folder that is shown. */
  readonly out: string;
  readonly keepsRuns: boolean;
}

export const EMPTY_FORM: SweepForm = {
  scenario: "name:quickstart",
  trace: "",
  routingThreshold: "",
  policies: [],
  seeds: "",
  requests: "",
  settings: "",
  out: "",
  keepsRuns: false,
};

/** Kept beside the results of a sweep, so that it can go on, or be varied, after the server has ended. */
const FILE = "sweep-form.json";

/** Reads a form as browsers send it, or a link that fills some of it in. */
export function formOf(fields: URLSearchParams): SweepForm {
  const text = (name: string): string => (fields.get(name) ?? "").trim();
  return {
    scenario: text("scenario"),
    trace: text("trace"),
    routingThreshold: text("routing_threshold"),
    policies: fields.getAll("policy"),
    seeds: text("seeds"),
    requests: text("requests"),
    settings: text("settings"),
    out: text("out"),
    keepsRuns: fields.has("keep_runs"),
  };
}

/** The form as the query of a link. */
export function formQuery(form: SweepForm): string {
  const fields = new URLSearchParams();
  const put = (name: string, value: string): void => {
    if (value !== "") fields.append(name, value);
  };
  put("scenario", form.scenario);
  put("trace", form.trace);
  put("routing_threshold", form.routingThreshold);
  for (const policy of form.policies) put("policy", policy);
  put("seeds", form.seeds);
  put("requests", form.requests);
  put("settings", form.settings);
  put("out", form.out);
  put("keep_runs", form.keepsRuns ? "1" : "");
  return fields.toString();
}

/** Text of the file that is kept beside results. */
export function formFile(
  directory: string,
  form: SweepForm,
): { readonly path: string; readonly text: string } {
  const text = JSON.stringify({ schema: "pdbench/sweep-form@1", query: formQuery(form) });
  return { path: join(directory, FILE), text: `${text}\n` };
}

/** The form that the sweep of a folder was started from; null = it was started in another way. */
export function readFormFile(directory: string): SweepForm | null {
  const path = join(directory, FILE);
  if (!isRegularFile(path)) return null;
  try {
    const file = JSON.parse(readFileSync(path, "utf8")) as { schema?: unknown; query?: unknown } | null;
    const isForm = file?.schema === "pdbench/sweep-form@1" && typeof file.query === "string";
    return isForm ? formOf(new URLSearchParams(file.query as string)) : null;
  } catch {
    // Whatever it is, it is no form of ours.
    return null;
  }
}

import { escapeHtml } from "../../report/html/escape.js";
import { POLICIES } from "../../routing/registry.js";
import { shippedScenarios } from "../../scenario/load.js";
import type { FoundFiles } from "../find-results.js";
import type { Reply } from "../reply.js";
import type { SweepForm } from "../sweep-form.js";
import { pageReply } from "./layout.js";
import { NEW_SWEEP_SCRIPT } from "./new-sweep-script.js";

interface NewSweepParts {
  readonly folder: string;
  readonly form: SweepForm;
  readonly found: FoundFiles;
  readonly token: string;
  /** Why the form that was sent cannot start; null = it was not sent. */
  readonly problem: string | null;
}

/** The form that starts a sweep. */
export function newSweepPage({ folder, form, found, token, problem }: NewSweepParts): Reply {
  const alert =
    problem === null
      ? ""
      : `<section class="verdict bad" role="alert" id="problem" tabindex="-1"><p>${escapeHtml(problem)}</p></section>`;
  const body = `<h1>New sweep</h1>
<p class="lead">Runs a scenario over every combination of settings and seeds, and says which to take.</p>
${alert}
<form action="/sweeps" method="post" id="new-sweep">
<input type="hidden" name="token" value="${token}">
<div class="fields">
${scenarioField(form, found)}
${textField("trace", "Trace", form.trace, "--trace", "Below the folder; empty = the scenario's own requests.", "traces")}
${textField("routing_threshold", "Routing thresholds, tokens", form.routingThreshold, "--routing-threshold", "0,512,2048 or 0:8192:1024 or 512:16384:x2; empty = the scenario's.")}
${textField("seeds", "Seeds", form.seeds, "--seeds", "How many, or a list; several give intervals. Empty = the scenario's.")}
${textField("requests", "Requests", form.requests, "--requests", "The first so many only; empty = all.")}
${textField("out", "Name of the results", form.out, "--out", `A folder below ${folder}. The name of a stopped sweep goes on with it.`)}
</div>
<datalist id="traces">${found.traces.map((trace) => `<option value="${escapeHtml(trace)}"></option>`).join("")}</datalist>
${policyFields(form)}
<div class="field"><label>Other settings <code>--set</code>
<textarea name="settings" rows="3" spellcheck="false" aria-describedby="about-settings">${escapeHtml(form.settings)}</textarea></label>
<span class="note" id="about-settings">One a line, each a value, a list or a range: engine.max_num_batched_tokens=2048,8192</span></div>
<label class="check"><input type="checkbox" name="keep_runs" value="1"${form.keepsRuns ? " checked" : ""}> Keep every run's own folder, with its requests and timelines</label>
<div id="check" class="note" role="status"></div>
<pre id="command" tabindex="0" hidden></pre>
<div class="actions"><button type="submit">Start the sweep</button> <a href="/">Cancel</a></div>
</form>`;
  return pageReply({
    title: "New sweep",
    body,
    script: NEW_SWEEP_SCRIPT,
    status: problem === null ? 200 : 422,
  });
}

function textField(
  name: string,
  label: string,
  value: string,
  flag: string,
  about: string,
  list?: string,
): string {
  const choices = list === undefined ? "" : ` list="${list}"`;
  return `<div class="field"><label>${label} <code>${flag}</code>
<input type="text" name="${name}" value="${escapeHtml(value)}" autocomplete="off" spellcheck="false" aria-describedby="about-${name}"${choices}></label>
<span class="note" id="about-${name}">${escapeHtml(about)}</span></div>`;
}

function scenarioField({ scenario }: SweepForm, { scenarios }: FoundFiles): string {
  const option = (value: string, text: string): string =>
    `<option value="${escapeHtml(value)}"${value === scenario ? " selected" : ""}>${escapeHtml(text)}</option>`;
  const shipped = shippedScenarios().map(({ name, summary }) =>
    option(`name:${name}`, summary === "" ? name : `${name}: ${summary}`),
  );
  // A run's own scenario is not listed, but a link can name it.
  const given = scenario.startsWith("file:") ? [scenario.slice(5)] : [];
  const files = [...new Set([...given, ...scenarios])].map((path) => option(`file:${path}`, path));
  const own = files.length === 0 ? "" : `<optgroup label="Below the folder">${files.join("")}</optgroup>`;
  return `<label class="field wide">Scenario
<select name="scenario">${own}<optgroup label="Come with pdbench">${shipped.join("")}</optgroup></select></label>`;
}

function policyFields({ policies }: SweepForm): string {
  const boxes = POLICIES.map(({ name, summary }) => {
    const checked = policies.includes(name) ? " checked" : "";
    return `<label class="check" title="${escapeHtml(summary)}"><input type="checkbox" name="policy" value="${name}"${checked}> ${name}</label>`;
  });
  return `<fieldset><legend>Policies of both legs <code>--policy</code></legend>
<p class="note">None ticked = the scenario's.</p><div class="boxes">${boxes.join("\n")}</div></fieldset>`;
}

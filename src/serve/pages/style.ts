/** What the pages of `pdbench serve` have beside the style sheet of reports. */
export const SERVE_STYLE = `
body.wide main { max-width: 2000px; }
[hidden] { display: none !important; }
.skip { position: absolute; left: -9999px; } .skip:focus { left: 8px; top: 8px; background: var(--page); padding: 8px; z-index: 20; }
.hidden-words { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
nav { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 20px; padding: 6px 20px; background: var(--panel); border-bottom: 1px solid var(--line); }
nav a { color: var(--text); text-decoration: none; padding: 8px 0; } nav a:hover { text-decoration: underline; }
h1 code { font-size: inherit; }
button, input, select, textarea { font: inherit; color: inherit; }
input[type="search"], input[type="text"], select, textarea { background: var(--page); border: 1px solid var(--muted); border-radius: 6px; padding: 7px 10px; min-height: 44px; width: 100%; }
input[type="checkbox"] { width: 20px; height: 20px; margin: 0; accent-color: var(--accent); vertical-align: middle; }
button[type="submit"], .button { background: var(--button); color: var(--on-button); border: 1px solid var(--button); border-radius: 6px; padding: 8px 18px; min-height: 44px; cursor: pointer; text-decoration: none; display: inline-block; }
button[type="submit"]:disabled { background: var(--panel); color: var(--muted); border-color: var(--line); cursor: default; }
button.plain { background: var(--page); color: var(--accent); border-color: var(--accent); }
button.link { background: none; border: 0; padding: 4px 0; color: var(--accent); text-decoration: underline; cursor: pointer; }
:root { --button: #005f95; --on-button: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --button: #63b3ea; --on-button: #0d1319; } }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 20px; margin: 14px 0; }
.tools .grow { flex: 1 1 260px; max-width: 640px; display: flex; align-items: center; gap: 10px; }
.check { display: inline-flex; align-items: center; gap: 8px; min-height: 44px; }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; padding: 12px 0; background: var(--page); }
/* What has the focus is not hidden below the bar. */
html:has(#list) { scroll-padding-bottom: 110px; }
#list .actions { position: sticky; bottom: 0; }
table.results tbody th { font-weight: 400; white-space: normal; min-width: 180px; overflow-wrap: anywhere; }
table.results tbody th a { font-weight: 600; }
table.results tbody th .muted { font-size: 0.8rem; }
table.results thead th, table.results td.text { white-space: normal; overflow-wrap: break-word; }
table.results thead th { min-width: 66px; }
table.results :is(th, td) { padding: 6px 7px; }
table.results thead th:first-child { min-width: 0; }
table.results thead button { position: relative; padding-right: 14px; }
table.results thead button::after { position: absolute; right: 0; bottom: 0; width: auto; }
table.results .in-short { display: none; font-size: 0.8rem; }
table.results td.tick { min-width: 44px; text-align: center; }
table.results tbody tr:hover > * { background: var(--panel); }
table.results time { white-space: nowrap; }
@media (max-width: 820px) {
  table.results :is(th, td):is(:nth-child(3), :nth-child(4), :nth-child(5), :nth-child(7)) { display: none; }
  table.results .in-short { display: block; }
  table.results tbody th { min-width: 190px; }
}
.verdict.bad { border-left-color: var(--bad); }
.job { margin: 14px 0; padding: 12px 16px; border: 1px solid var(--line); border-radius: 8px; }
.job h2 { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; }
.job .status { font-size: 0.875rem; font-weight: 400; color: var(--muted); margin-left: 8px; }
.job[data-status="failed"] { border-left: 6px solid var(--bad); } .job[data-status="done"] { border-left: 6px solid var(--good); }
.job progress { width: 100%; height: 14px; accent-color: var(--accent); }
.job .words { overflow-wrap: anywhere; }
h2.small { font-size: 1.02rem; }
.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 14px 20px; margin: 18px 0; align-items: start; }
.field { display: block; } .field.wide { grid-column: 1 / -1; }
.field .note { display: block; font-size: 0.875rem; }
fieldset { border: 1px solid var(--line); border-radius: 8px; margin: 14px 0; padding: 8px 16px 12px; min-width: 0; }
.boxes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 210px), 1fr)); gap: 0 14px; }
#check { min-height: 1.5em; margin-top: 12px; overflow-wrap: anywhere; }
#command { white-space: pre-wrap; overflow-wrap: anywhere; }
#check.worse { color: var(--bad); }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 18px; padding: 8px 20px; border-bottom: 1px solid var(--line); }
.bar h1 { font-size: 1.05rem; }
.bar a { padding: 6px 0; }
.bar ul { display: contents; list-style: none; }
.choices label { display: flex; align-items: center; gap: 8px; min-width: 0; flex: 0 1 auto; white-space: nowrap; }
.choices select { width: auto; min-width: 0; flex: 0 1 auto; max-width: 420px; }
@media (max-width: 820px) { .choices label { flex-basis: 100%; } .choices select { flex-grow: 1; } }
body.report, body.report main { display: flex; flex-direction: column; }
body.report { min-height: 100vh; }
body.report main { width: 100%; max-width: none; flex: 1; padding: 0; }
iframe { border: 0; width: 100%; flex: 1; min-height: 70vh; background: var(--page); }
`;

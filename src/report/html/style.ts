import { SERIES_DARK, SERIES_LIGHT } from "./palette.js";

const variables = (colours: readonly string[]) =>
  colours.map((colour, i) => `--series-${i + 1}: ${colour};`).join(" ");

/** The style sheet of every report page. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f4f6f9; --text: #17202a; --muted: #55616e; --line: #d5dce4; --grid: #e6eaef;
  --accent: #0072b2; --good: #00664b; --bad: #a63f00; --mark: #fff3d6;
  ${variables(SERIES_LIGHT)}
}
@media screen and (prefers-color-scheme: dark) {
  :root:not([data-printing]) {
    --page: #11161c; --panel: #1a212a; --text: #e7ebf0; --muted: #a3afbc; --line: #323d49; --grid: #28313b;
    --accent: #63b3ea; --good: #43d6a8; --bad: #ff9f6b; --mark: #3a3320;
    ${variables(SERIES_DARK)}
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 1240px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.5rem; margin: 0; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 44px 0 6px; }
h3 { font-size: 1.02rem; margin: 26px 0 4px; }
p { margin: 4px 0 10px; }
a { color: var(--accent); }
code, pre { font: 0.875rem/1.5 ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px; overflow-x: auto; }
.lead, .note, figcaption, .muted { color: var(--muted); }
.lead { margin: 4px 0 0; }
.verdict {
  margin: 20px 0; padding: 18px 20px; background: var(--panel); border-left: 6px solid var(--accent); border-radius: 8px;
}
.verdict p { font-size: 1.3rem; line-height: 1.4; font-weight: 600; margin: 0; }
.verdict ul { margin: 12px 0 0; padding-left: 20px; }
.verdict li { margin: 3px 0; }
.warning { margin: 16px 0; padding: 12px 20px; border: 2px solid var(--bad); border-radius: 8px; }
.warning p { font-weight: 600; margin: 0; color: var(--bad); } .warning ul { margin: 6px 0 0; padding-left: 20px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(168px, 1fr)); gap: 12px; margin: 12px 0; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.card .label { color: var(--muted); font-size: 0.875rem; }
.card .value { font-size: 1.5rem; font-weight: 650; line-height: 1.3; }
.card .value small { font-size: 0.875rem; font-weight: 400; color: var(--muted); }
.card .change { font-size: 0.875rem; text-wrap: balance; }
.verdict p, .verdict li, .lead, .note, figcaption { text-wrap: pretty; }
.better { color: var(--good); } .worse { color: var(--bad); }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; margin: 10px 0; }
.legs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 0 16px; }
.legs > section { min-width: 0; } .legs h3 { margin-top: 14px; }
.charts.wide { grid-template-columns: minmax(0, 1fr); }
.charts > :last-child:nth-child(odd) { grid-column: 1 / -1; }
figure { margin: 0; padding: 12px 14px 8px; border: 1px solid var(--line); border-radius: 8px; min-width: 0; }
figure h4 { margin: 0; font-size: 0.95rem; }
figcaption { font-size: 0.85rem; margin: 2px 0 8px; }
figure .links { font-size: 0.8rem; text-align: right; color: var(--muted); min-height: 1.2em; }
figure .links button {
  font: inherit; color: var(--accent); background: none; border: 0; padding: 4px 6px; cursor: pointer; text-decoration: underline;
}
.plot { width: 100%; position: relative; }
.moment {
  position: absolute; top: 0; bottom: 0; width: 0; border-left: 1px solid var(--text); pointer-events: none; visibility: hidden;
}
.moment span {
  position: absolute; top: 0; left: 3px; padding: 0 4px; font-size: 0.75rem; white-space: nowrap; background: var(--page); color: var(--muted);
}
.moment.late span { left: auto; right: 3px; }
.plot svg { display: block; max-width: 100%; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 6px 0; padding: 0; list-style: none; font-size: 0.9rem; }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend svg { flex: none; }
.scroll {
  overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; content-visibility: auto; contain-intrinsic-size: auto 500px;
}
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
tbody tr:last-child td, tbody tr:last-child th { border-bottom: 0; }
th.text, td.text { text-align: left; }
thead th { background: var(--panel); font-weight: 600; vertical-align: bottom; }
thead button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: inherit; }
thead button::after { content: ""; display: inline-block; width: 0.9em; }
thead [aria-sort="ascending"] button::after { content: "\\2191"; }
thead [aria-sort="descending"] button::after { content: "\\2193"; }
tr.recommended td { background: var(--mark); font-weight: 600; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 18px; margin: 8px 0; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 10px 0; } summary { cursor: pointer; padding: 4px 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
#tooltip {
  position: fixed; z-index: 10; pointer-events: none; max-width: min(340px, 92vw); padding: 8px 10px; border-radius: 6px;
  background: var(--text); color: var(--page); font-size: 0.8rem; line-height: 1.4; visibility: hidden;
}
#tooltip b { font-weight: 600; }
button.pick {
  font: inherit; color: var(--accent); background: none; border: 0; padding: 2px 4px; cursor: pointer; text-decoration: underline;
}
tr.selected td { outline: 2px solid var(--accent); outline-offset: -2px; }
.plot .followed { stroke-width: 3px; opacity: 1; } .plot .unfollowed { opacity: 0.15; }
.plot .picked { stroke: var(--text); stroke-width: 3px; opacity: 1; } .plot .dimmed { opacity: 0.2; }
#selection {
  position: fixed; left: 0; right: 0; bottom: 0; z-index: 5; padding: 10px 20px; background: var(--panel);
  border-top: 3px solid var(--accent); font-size: 0.875rem; max-height: 40vh; overflow-y: auto;
}
#selection[hidden] { display: none; } #selection p { margin: 2px auto; max-width: 1200px; overflow-wrap: anywhere; }
button.copy, button.clear, .pager button, .story > button, .search input {
  font: inherit; color: var(--text); background: var(--page); border: 1px solid var(--muted); border-radius: 6px; padding: 2px 10px;
}
button:disabled { opacity: 0.5; }
.search { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 10px; }
.search input { flex: 1 1 220px; max-width: 420px; padding: 6px 10px; } .search .muted { font-size: 0.85rem; }
.pager { margin: 8px 0; }
.story { margin: 12px 0; padding: 6px 18px 14px; border: 2px solid var(--accent); border-radius: 8px; }
.story[hidden] { display: none; } .story h3 { margin-top: 8px; }
.stages { display: flex; height: 22px; border-radius: 4px; overflow: hidden; background: var(--grid); }
.stage-list { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 8px 0; padding: 0; list-style: none; }
.swatch { display: inline-block; width: 12px; height: 12px; margin-right: 6px; }
@media (min-width: 1900px) { main { max-width: 1760px; } .verdict p, .verdict li, p.note { max-width: 120ch; } }
@media (max-width: 1100px) { .cards { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
@media (max-width: 820px) {
  main { padding: 16px 12px 48px; }
  .charts { grid-template-columns: minmax(0, 1fr); }
  .verdict { padding: 14px 14px; } .verdict p { font-size: 1.12rem; }
  .cards { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; }
  .card .value { font-size: 1.25rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: 8px; }
  figure { padding: 10px 8px 6px; }
  table.sortable td.text:first-child { white-space: normal; min-width: 9em; }
}
@media print {
  :root { color-scheme: light; }
  main { max-width: none; padding: 0; } main > :last-child { margin-bottom: 0; } figure, .card, tr, .legend, .note, .verdict { break-inside: avoid; }
  h2, h3, h4, .legend, figcaption, .note { break-after: avoid; } h2 { margin-top: 28px; }
  .cards { grid-template-columns: repeat(3, minmax(0, 1fr)); } dl { grid-template-columns: max-content minmax(0, 1fr); gap: 2px 14px; }
  .charts:not(.wide) { display: block; } .charts:not(.wide) > figure { display: inline-block; width: calc(50% - 4px); margin-bottom: 8px; }
  .charts:not(.wide) > figure:last-child:nth-child(odd) { display: block; width: auto; }
  .scroll { content-visibility: visible; overflow: visible; border: 0; }
  table { font-size: 7.5pt; } th, td { padding: 2px 5px; white-space: normal; }
  .plot { min-height: 0 !important; } .plot svg { width: 100%; }
  figure .links, #selection, #tooltip, .moment, button.copy, .search, .pager, #request-browser .scroll { display: none; }
  #request-section:not(:has(.story:not([hidden]))), .story > button { display: none; }
  details:not([open]) { display: none; }
}
`;

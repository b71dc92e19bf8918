/** What the dashboard has beside the style sheet of reports. */
export const DASHBOARD_STYLE = `
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: flex-start; gap: 12px; }
h2 { margin-top: 32px; }
figure h3 { margin: 0; font-size: 0.95rem; }
.controls { display: flex; align-items: center; gap: 12px; }
#status { display: inline-flex; align-items: center; gap: 8px; font-size: 0.9rem; color: var(--muted); }
#status::before { content: ""; width: 10px; height: 10px; border-radius: 50%; background: var(--muted); }
#status[data-state="live"]::before { background: var(--good); }
#status[data-state="lost"] { color: var(--bad); font-weight: 600; }
#status[data-state="lost"]::before { background: var(--bad); border-radius: 0; }
#pause { font: inherit; color: var(--accent); background: var(--page); border: 1px solid var(--accent); border-radius: 6px; padding: 6px 14px; min-height: 44px; min-width: 88px; cursor: pointer; }
.plot { min-height: 130px; }
.plot text { fill: var(--muted); font-size: 12px; }
.plot line { stroke: var(--grid); }
.plot polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
.plot .p90 { stroke-dasharray: 5 3; }
.figure-bar { display: inline-block; width: 56px; height: 8px; margin-right: 8px; background: var(--grid); border-radius: 4px; overflow: hidden; vertical-align: middle; }
.figure-bar > span { display: block; height: 100%; background: var(--series-1); }
.figure-bar.full > span { background: var(--series-2); }
th.share, td.share { width: 40%; min-width: 160px; }
td.share .figure-bar { width: calc(100% - 64px); }
tbody th { font-weight: 400; text-align: left; }
tr.stale td.engine { color: var(--muted); font-style: italic; }
footer { margin-top: 28px; }
@media (max-width: 820px) { .plot { min-height: 110px; } td.share, th.share { min-width: 120px; } }
`;

/**
 * What runs in the dashboard: asks for the state every second while the page is seen, and writes what changed.
 * Every name from elsewhere becomes text, never markup.
 */
export const DASHBOARD_SCRIPT = `
(() => {
  "use strict";
  const EVERY_MS = 1000, KEPT = 121, RATE_SECONDS = 5, STALE_S = 10, PATIENCE_MS = 5000;
  const byId = (id) => document.getElementById(id);
  const history = [];
  let paused = false;

  // Numbers as text --------------------------------------------------------------------------------------
  const DASH = "\\u2013";
  const number = (value, digits = 0) =>
    value == null || !Number.isFinite(value) ? DASH
      : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  /** With a decimal where there is little before it. */
  const small = (value) => number(value, value > 0 && value < 10 ? 1 : 0);
  const share = (part, whole) => {
    if (!(whole > 0)) return DASH;
    const percent = (100 * part) / whole;
    return (percent > 0 && percent < 0.5 ? "<1" : number(percent)) + " %";
  };
  const span = (seconds) => {
    const s = Math.floor(seconds), pad = (n) => String(n).padStart(2, "0");
    const clock = pad(Math.floor(s / 60) % 60) + ":" + pad(s % 60);
    return s < 3600 ? clock : Math.floor(s / 3600) + ":" + clock;
  };

  /** Only what differs is written: a selection, a focus or a screen reader is not disturbed. */
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
  function element(name, className = "", text = "") {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  // Figures of a moment, kept for the charts ---------------------------------------------------------------
  function keep(state) {
    const last = history.at(-1);
    if (last && state.uptime_s < last.at) history.length = 0;
    const open = (leg) => state.workers.filter((w) => w.leg === leg).reduce((sum, w) => sum + w.open_legs, 0);
    history.push({
      at: state.uptime_s, total: state.requests.total,
      prefill: open("prefill"), decode: open("decode"),
      ttft: state.ttft_ms, itl: state.itl_ms,
      branches: new Map(state.decisions.map(({ branch, count }) => [branch, count])),
    });
    if (history.length > KEPT) history.shift();
  }
  function rateAt(index) {
    const now = history[index];
    let from = index;
    while (from > 0 && now.at - history[from].at < RATE_SECONDS) from--;
    const seconds = now.at - history[from].at;
    return seconds > 0 ? (now.total - history[from].total) / seconds : null;
  }

  // Charts -------------------------------------------------------------------------------------------------
  const SVG = "http://www.w3.org/2000/svg";
  function draw(id, lines, format) {
    const figure = byId("chart-" + id);
    const plot = figure.querySelector(".plot");
    const width = Math.max(200, plot.clientWidth), height = 130, left = 46, right = 8, top = 8, bottom = 20;
    const values = lines.flatMap((line) => line.values).filter((value) => value != null);
    const highest = roundUp(Math.max(0, ...values) || 1);
    const end = history.at(-1)?.at ?? 0, start = end - (KEPT - 1);
    const x = (at) => left + ((at - start) / (end - start || 1)) * (width - left - right);
    const y = (value) => height - bottom - (value / highest) * (height - top - bottom);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("width", width); svg.setAttribute("height", height); svg.setAttribute("aria-hidden", "true");
    const add = (name, attributes, text) => {
      const made = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      if (text !== undefined) made.textContent = text;
      svg.append(made);
    };
    for (const value of [0, highest / 2, highest]) {
      add("line", { x1: left, x2: width - right, y1: y(value), y2: y(value) });
      add("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, format(value));
    }
    add("text", { x: left, y: height - 4 }, "\\u22122 min");
    add("text", { x: width - right, y: height - 4, "text-anchor": "end" }, "now");
    for (const line of lines) {
      for (const run of runsOf(line.values)) {
        const points = run.map(([i, value]) => x(history[i].at).toFixed(1) + "," + y(value).toFixed(1));
        if (points.length === 1) points.push(points[0]);
        add("polyline", { points: points.join(" "), class: line.dashed ? "p90" : "", style: "stroke: var(--series-" + line.colour + ")" });
      }
    }
    plot.replaceChildren(svg);
    const latest = lines.map((line) => line.name + " " + format(line.values.at(-1) ?? null)).join(", ");
    plot.setAttribute("aria-label", figure.querySelector("h3").textContent + " now: " + latest);
    drawLegend(figure.querySelector(".legend"), lines, format);
  }
  /** Stretches of values without a gap, each value with its place. */
  function runsOf(values) {
    const runs = [];
    values.forEach((value, i) => {
      if (value == null) return;
      if (i > 0 && values[i - 1] != null && runs.length > 0) runs.at(-1).push([i, value]);
      else runs.push([[i, value]]);
    });
    return runs;
  }
  function roundUp(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 4, 5, 10].find((step) => step * power >= value) * power;
  }
  function drawLegend(list, lines, format) {
    if (list.childElementCount !== lines.length) {
      list.replaceChildren(...lines.map((line) => {
        const item = element("li");
        const mark = document.createElementNS(SVG, "svg");
        mark.setAttribute("width", 22); mark.setAttribute("height", 8); mark.setAttribute("aria-hidden", "true");
        mark.innerHTML = '<path d="M0 4H22" fill="none" stroke-width="2"/>';
        mark.firstChild.style.stroke = "var(--series-" + line.colour + ")";
        if (line.dashed) mark.firstChild.style.strokeDasharray = "5 3";
        item.append(mark, element("span"));
        return item;
      }));
    }
    lines.forEach((line, i) => write(list.children[i].lastChild, line.name + " " + format(line.values.at(-1) ?? null)));
  }
  function drawCharts() {
    const line = (name, colour, read, dashed = false) => ({ name, colour, dashed, values: history.map(read) });
    draw("rate", [line("arrivals", 1, (_, i) => rateAt(i))], small);
    draw("open", [line("prefill", 1, (h) => h.prefill), line("decode", 2, (h) => h.decode)], small);
    draw("ttft", [line("p50", 1, (h) => h.ttft.p50), line("p90", 2, (h) => h.ttft.p90, true)], small);
    draw("itl", [line("p50", 1, (h) => h.itl.p50), line("p90", 2, (h) => h.itl.p90, true)], small);
  }

  // Cards and tables ---------------------------------------------------------------------------------------
  function writeCards(state) {
    const { requests: r, ttft_ms: ttft, itl_ms: itl } = state;
    const ended = r.completed + r.failed + r.retryable + r.cancelled, failed = r.failed + r.retryable;
    const card = (id, value, detail) => { write(byId("card-" + id), value); write(byId("detail-" + id), detail); };
    const rate = rateAt(history.length - 1);
    card("rate", small(rate), number(r.total) + " in all");
    card("open", number(r.open), number(ended) + " ended");
    card("ttft", small(ttft.p50) + (ttft.p50 == null ? "" : " ms"), "p90 " + small(ttft.p90) + ", p99 " + small(ttft.p99));
    card("itl", small(itl.p50) + (itl.p50 == null ? "" : " ms"), "p90 " + small(itl.p90) + ", p99 " + small(itl.p99));
    card("disaggregated", share(r.disaggregated, r.total), number(r.decode_only) + " decode only");
    card("failed", share(failed, ended), number(failed) + " failed, " + number(r.cancelled) + " cancelled, " + number(r.rejected) + " rejected");
    write(byId("lead"), "Up " + span(state.uptime_s) + ", " + state.connector + ", " +
      ["prefill", "decode"].map((leg) => state.workers.filter((w) => w.leg === leg).length + " " + leg).join(" and ") + " workers.");
  }

  /** Rows stay the same elements for as long as their names stay. */
  function rowsOf(table, names, make) {
    const body = table.tBodies[0];
    const wanted = names.join("\\n");
    if (body.dataset.names !== wanted) {
      body.replaceChildren(...names.map(make));
      body.dataset.names = wanted;
    }
    return [...body.rows];
  }
  function row(name, classes) {
    const made = element("tr");
    const head = element("th", "", name);
    head.scope = "row";
    made.append(head, ...classes.map((className) => element("td", className)));
    return made;
  }
  function bar(cell, part, text, isFull = false) {
    if (cell.childElementCount !== 2) {
      const track = element("span", "figure-bar");
      track.append(element("span"));
      cell.replaceChildren(track, element("span"));
    }
    cell.firstElementChild.classList.toggle("full", isFull);
    cell.firstElementChild.firstElementChild.style.width = 100 * Math.min(1, part) + "%";
    write(cell.lastElementChild, text);
  }
  function writeWorkers(workers) {
    const most = Math.max(1, ...workers.map((w) => w.open_legs));
    const classes = ["text", "", "engine", "engine", "engine", "", "", "", "", ""];
    const rows = rowsOf(byId("workers"), workers.map((w) => w.url), (url) => row(url, classes));
    workers.forEach((worker, i) => {
      const { engine } = worker;
      const cells = [...rows[i].cells].slice(1);
      rows[i].classList.toggle("stale", engine != null && engine.age_s > STALE_S);
      write(cells[0], worker.leg);
      bar(cells[1], worker.open_legs / most, number(worker.open_legs));
      write(cells[2], number(engine?.running)); write(cells[3], number(engine?.waiting));
      if (engine) bar(cells[4], engine.kv_usage, number(100 * engine.kv_usage, 0) + " %", engine.kv_usage > 0.9);
      else cells[4].replaceChildren(DASH);
      write(cells[5], small(worker.ttft_ms.p50)); write(cells[6], small(worker.ttft_ms.p90));
      write(cells[7], small(worker.itl_ms.p50)); write(cells[8], small(worker.itl_ms.p90));
      write(cells[9], number(worker.legs));
    });
  }
  function writeDecisions(decisions) {
    const before = history[0].branches;
    const kindOf = (branch) => branch.split(".")[0];
    const lately = decisions.map(({ branch, count }) => count - (before.get(branch) ?? 0));
    const totals = new Map();
    decisions.forEach(({ branch }, i) => totals.set(kindOf(branch), (totals.get(kindOf(branch)) ?? 0) + lately[i]));
    const rows = rowsOf(byId("decisions"), decisions.map((d) => d.branch), (branch) => row(branch, ["", "", "text share"]));
    decisions.forEach(({ branch, count }, i) => {
      const [, all, late, part] = rows[i].cells;
      write(all, number(count)); write(late, number(lately[i]));
      const total = totals.get(kindOf(branch));
      bar(part, total > 0 ? lately[i] / total : 0, share(lately[i], total));
    });
  }

  // Polling ------------------------------------------------------------------------------------------------
  function tell(state, text) {
    byId("status").dataset.state = state;
    write(byId("status"), text);
  }
  function show(state) {
    keep(state);
    writeCards(state); writeWorkers(state.workers); writeDecisions(state.decisions); drawCharts();
    tell("live", "live");
    document.documentElement.dataset.ready = "true";
  }
  let lastAnswer = new Date();
  async function poll() {
    if (paused || document.hidden) return;
    try {
      const response = await fetch("dashboard/state", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!response.ok) throw new Error("status " + response.status);
      const state = await response.json();
      lastAnswer = new Date();
      if (!paused) show(state);
    } catch {
      if (!paused) tell("lost", "no answer since " + lastAnswer.toLocaleTimeString() + ", trying again");
    }
  }
  async function go() {
    for (;;) {
      const from = performance.now();
      await poll();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - (performance.now() - from))));
    }
  }
  byId("pause").addEventListener("click", () => {
    paused = !paused;
    byId("pause").setAttribute("aria-pressed", String(paused));
    if (paused) tell("paused", "paused");
    else void poll();
  });
  document.addEventListener("visibilitychange", () => void poll());
  addEventListener("resize", () => { if (history.length > 0) drawCharts(); });
  void go();
})();
`;

/** What runs in the page of a run: its table of requests, a screenful at a time, and the story of one of them. */
export const REQUEST_SCRIPT = `
(() => {
  "use strict";
  const root = document.getElementById("request-browser");
  if (root === null) return;
  const { columns, rows, stages, stagesMs, decisions } =
    JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const PAGE = 25;
  const texts = rows.map((row) => row.map((value) => value ?? "").join(" ").toLowerCase());
  const body = root.querySelector("tbody"), story = root.querySelector(".story");
  const number = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 5 });
  const state = { found: rows.map((_, i) => i), at: 0, sort: null, ascending: true };

  function element(name, text, attributes = {}) {
    const one = document.createElement(name);
    if (text !== null) one.textContent = text;
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    return one;
  }
  const shown = (value) => value === null ? "-" : typeof value === "number" ? number.format(value) : value;
  const ms = (value) => shown(value) + " ms";

  function filterOf(term) {
    const [, key, sign, limit] = /^([a-z0-9]+)([<>])([0-9.]+)$/.exec(term) ?? [];
    const at = columns.findIndex((column) => column.key === key && !column.isText);
    if (at === -1) return (i) => texts[i].includes(term);
    return (i) => rows[i][at] !== null && (sign === ">" ? rows[i][at] > limit : rows[i][at] < limit);
  }

  function search(words) {
    const filters = words.toLowerCase().split(" ").filter((word) => word !== "").map(filterOf);
    state.found = rows.map((_, i) => i).filter((i) => filters.every((filter) => filter(i)));
    state.at = 0;
    sort();
  }

  function sort() {
    const { sort: at, ascending } = state;
    const order = (a, b) => {
      const [x, y] = [rows[a][at], rows[b][at]];
      if (x === null || y === null || x === "" || y === "") return (x === null || x === "") - (y === null || y === "");
      const one = typeof x === "number" ? x - y : x.localeCompare(y);
      return ascending ? one : -one;
    };
    if (at !== null) state.found.sort(order);
    render();
  }

  function render() {
    const { found, at } = state;
    body.replaceChildren(...found.slice(at, at + PAGE).map((i) => {
      const row = element("tr", null);
      rows[i].forEach((value, c) => {
        const cell = element("td", c === 0 ? null : shown(value), columns[c].isText ? { class: "text" } : {});
        if (c === 0) {
          const pick = element("button", String(value), { type: "button", class: "pick", "aria-label": "story of request " + value });
          pick.addEventListener("click", () => tell(i, pick));
          cell.append(pick);
        }
        row.append(cell);
      });
      return row;
    }));
    root.querySelector(".pager [role=status]").textContent = found.length === 0
      ? "no request is like that"
      : (at + 1) + " to " + Math.min(at + PAGE, found.length) + " of " + found.length.toLocaleString("en-US");
    root.querySelector("[data-step='-1']").disabled = at === 0;
    root.querySelector("[data-step='1']").disabled = at + PAGE >= found.length;
  }

  const inBrackets = (figures) => {
    const words = Object.entries(figures ?? {}).map(([name, value]) => name + " " + shown(value));
    return words.length === 0 ? "" : " (" + words.join(", ") + ")";
  };

  function decisionOf(i) {
    const decision = decisions?.[i] ?? null;
    if (decision === null) return [];
    const legs = [["prefill", decision.prefill], ["decode", decision.decode]].filter(([, leg]) => leg !== null);
    return [
      ["whether", "decider " + decision.decider + ", branch " + decision.branch + inBrackets(decision.figures)],
      ...legs.map(([name, leg]) => ["where to " + name,
        leg.worker + " by " + leg.policy + ", branch " + leg.branch + inBrackets(leg.figures)]),
    ];
  }

  function tell(i, from) {
    const value = Object.fromEntries(columns.map(({ key }, c) => [key, rows[i][c]]));
    const parts = stages.map((name, s) => ({ name, ms: stagesMs[i][s], colour: "var(--series-" + (s + 1) + ")" }))
      .filter((part) => part.ms !== null && part.ms > 0);
    const whole = parts.reduce((sum, part) => sum + part.ms, 0);
    const bar = element("div", null, { class: "stages", "aria-hidden": "true" });
    const list = element("ol", null, { class: "stage-list" });
    for (const part of parts) {
      const piece = element("span", null);
      piece.style.width = (100 * part.ms) / whole + "%";
      piece.style.background = part.colour;
      bar.append(piece);
      const line = element("li", part.name + ": " + ms(part.ms));
      const swatch = element("span", null, { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = part.colour;
      line.prepend(swatch);
      list.append(line);
    }
    const facts = [
      ["arrived", shown(value.arrival) + " s after the start of the run"],
      ["asked for", shown(value.prompt) + " prompt tokens, of which " + shown(value.cached) + " were in a prefix cache; got " + shown(value.output) + " tokens"],
      ["went", value.path === "" ? "to no worker" : value.path + ": " + [value.prefill, value.decode].filter(Boolean).join(", then ")],
      ["decided by", value.branch === "" ? "-" : value.branch],
      ...decisionOf(i),
      ["first token", ms(value.ttft) + " after arrival, then " + ms(value.tpot) + " a token"],
      ["ended", value.status + ", " + ms(value.e2e) + " after arrival, preempted " + value.preemptions + " times"],
    ];
    const table = element("dl", null);
    for (const [name, text] of facts) table.append(element("dt", name), element("dd", text));
    const close = element("button", "close", { type: "button" });
    close.addEventListener("click", () => { story.hidden = true; from.focus(); });
    story.replaceChildren(element("h3", "Request " + value.id), bar, list, table, close);
    story.hidden = false;
    story.focus();
  }

  const head = element("tr", null);
  columns.forEach(({ header, isText }, c) => {
    const cell = element("th", null, { scope: "col", ...(isText ? { class: "text" } : {}) });
    const button = element("button", header, { type: "button" });
    button.addEventListener("click", () => {
      state.ascending = state.sort === c ? !state.ascending : true;
      state.sort = c;
      state.at = 0;
      head.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      cell.setAttribute("aria-sort", state.ascending ? "ascending" : "descending");
      sort();
    });
    cell.append(button);
    head.append(cell);
  });
  root.querySelector("thead").append(head);
  root.querySelector("input").addEventListener("input", (event) => search(event.target.value));
  root.querySelectorAll("[data-step]").forEach((button) => button.addEventListener("click", () => {
    state.at += PAGE * Number(button.dataset.step);
    render();
  }));
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !story.hidden) story.querySelector("button").click();
  });
  render();
})();
`;

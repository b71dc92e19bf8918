import { RAMP_DARK, RAMP_LIGHT, SHAPES } from "./palette.js";

/**
 * What runs in the page: draws every chart from the specification beside it, in the colours of the style sheet
 * (again when light turns to dark), shows tooltips, offers each chart's data, selects a point of a sweep in every chart and
 * table at once, and sorts tables. The page says all it has to say in words and tables before any of it runs.
 */
export const PAGE_SCRIPT = `
(() => {
  "use strict";
  const styles = getComputedStyle(document.documentElement);
  const isPrinting = () => document.documentElement.dataset.printing !== undefined;
  const darkness = matchMedia("(prefers-color-scheme: dark)");
  const colour = (name) => styles.getPropertyValue("--" + name).trim();
  const series = () => [1, 2, 3, 4, 5, 6, 7].map((i) => colour("series-" + i));

  function theme() {
    const text = colour("text"), muted = colour("muted"), grid = colour("grid"), line = colour("line");
    const font = getComputedStyle(document.body).fontFamily;
    return {
      background: null, font,
      view: { stroke: null },
      axis: {
        labelColor: muted, titleColor: muted, gridColor: grid, domainColor: line, tickColor: line,
        labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelPadding: 4, titlePadding: 8,
      },
      axisQuantitative: { labelOverlap: "greedy", labelSeparation: 6 },
      mark: { color: colour("series-1") },
      text: { color: text, fontSize: 12 },
      style: { halo: { stroke: colour("page"), strokeWidth: 4, strokeJoin: "round" } },
      line: { color: muted },
      rule: { color: muted, strokeWidth: 1.5 },
      range: {
        category: series(), symbol: ${JSON.stringify(SHAPES)},
        heatmap: darkness.matches && !isPrinting() ? ${JSON.stringify(RAMP_DARK)} : ${JSON.stringify(RAMP_LIGHT)},
      },
    };
  }

  const tooltip = document.getElementById("tooltip");
  function showTooltip(_handler, event, _item, value) {
    if (value == null || value === "") { tooltip.style.visibility = "hidden"; return; }
    tooltip.replaceChildren(...Object.entries(value).map(([title, text]) => {
      const row = document.createElement("div");
      const name = document.createElement("b");
      name.textContent = title + ": ";
      row.append(name, String(text));
      return row;
    }));
    const box = tooltip.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
    const above = event.clientY + 18 + box.height > innerHeight;
    tooltip.style.left = Math.max(8, left) + "px";
    tooltip.style.top = (above ? event.clientY - box.height - 12 : event.clientY + 18) + "px";
    tooltip.style.visibility = "visible";
  }

  /** Of charts on paper, px: what A4 and Letter have room for, alone and side by side. */
  const PAPER_WIDTHS = { wide: 660, pair: 316 };
  const paperWidthOf = (figure) => {
    const isPair = figure.matches(".charts:not(.wide) > *") && !figure.matches(":last-child:nth-child(odd)");
    return PAPER_WIDTHS[isPair ? "pair" : "wide"];
  };
  const specOf = (figure) => JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  const views = new Map();

  async function draw(figure) {
    views.get(figure)?.finalize();
    const width = isPrinting() ? { width: paperWidthOf(figure) } : {};
    const spec = vegaLite.compile({ ...specOf(figure), ...width, config: theme() }).spec;
    const container = figure.querySelector(".plot");
    const view = new vega.View(vega.parse(spec), {
      renderer: "svg", container, hover: true, tooltip: showTooltip, logLevel: vega.Warn,
    });
    views.set(figure, view);
    view.addEventListener("click", (_event, item) => {
      if (item?.datum?.point !== undefined) select(item.datum.point === selected ? null : item.datum.point);
    });
    if (isOverTime(figure)) linkTime(figure, container);
    await view.runAsync();
    figure.dataset.drawn = "true";
    markIn(figure);
    followIn(figure);
  }

  // Charts over time share their axis: the pointer marks one time in all, and a picked worker stands out in all.
  const isOverTime = (figure) => figure.dataset.overTime !== undefined;
  let followed = null;

  /** Where the marks of a drawn chart begin, px from the left of its container, and its scale of time. */
  function timesOf(figure) {
    const view = views.get(figure);
    return { left: view.padding().left + view.origin()[0], scale: view.scale("x") };
  }

  function linkTime(figure, container) {
    if (container.dataset.linked === undefined) {
      container.dataset.linked = "true";
      container.addEventListener("pointermove", ({ clientX }) => {
        const { left, scale } = timesOf(figure);
        showMoment(scale.invert(clientX - container.getBoundingClientRect().left - left), scale.domain()[1]);
      });
      container.addEventListener("pointerleave", () => showMoment(-1, 0));
    }
    views.get(figure).addEventListener("click", (_event, item) => {
      const worker = item?.datum?.worker ?? null;
      followed = worker === followed ? null : worker;
      figures.filter(isOverTime).forEach(followIn);
    });
  }

  function showMoment(seconds, end) {
    for (const figure of figures) {
      if (!isOverTime(figure) || figure.dataset.drawn === undefined) continue;
      const container = figure.querySelector(".plot");
      let line = container.querySelector(".moment");
      if (line === null) {
        line = document.createElement("div");
        line.className = "moment";
        line.append(document.createElement("span"));
        container.append(line);
      }
      const { left, scale } = timesOf(figure);
      line.style.visibility = seconds < 0 || seconds > end ? "hidden" : "visible";
      line.style.left = left + scale(seconds) + "px";
      line.classList.toggle("late", seconds > end / 2);
      line.firstChild.textContent = Number(seconds.toPrecision(4)) + " s";
    }
  }

  /** A line is of many samples, all of one worker. Charts without the worker, of the other leg, stay as they are. */
  function followIn(figure) {
    if (!isOverTime(figure)) return;
    const marks = [...figure.querySelectorAll(".mark-line path, .mark-rect path")].map((element) => {
      const item = element.__data__;
      return { element, worker: (item?.datum ?? item?.items?.[0]?.datum)?.worker };
    });
    const isHere = marks.some(({ worker }) => worker !== undefined && worker === followed);
    for (const { element, worker } of marks) {
      element.classList.toggle("followed", isHere && worker === followed);
      element.classList.toggle("unfollowed", isHere && worker !== followed);
    }
  }

  // Linked selection: the marks and table rows of one point of a sweep, wherever they are.
  let selected = null;
  const panel = document.getElementById("selection");

  function select(point) {
    selected = point;
    let row = null;
    for (const one of document.querySelectorAll("tr[data-point]")) {
      const isIt = one.dataset.point === point;
      if (isIt) row = one;
      one.classList.toggle("selected", isIt);
      one.querySelector("button.pick").setAttribute("aria-pressed", String(isIt));
    }
    figures.forEach(markIn);
    if (panel === null) return;
    panel.hidden = row === null;
    if (row === null) return;
    panel.querySelector(".name").textContent = point;
    const heads = [...row.closest("table").querySelectorAll("thead th")].map((head) => head.textContent);
    panel.querySelector(".figures").textContent = [...row.cells]
      .flatMap((cell, c) => cell.classList.contains("text") || c === 0 ? [] : [heads[c] + " " + cell.textContent])
      .join("; ");
    panel.querySelector("code").textContent = row.dataset.flags;
  }

  /** Vega keeps the item of each mark at its element. Lines and areas are of many points, and stay as they are. */
  function markIn(figure) {
    for (const element of figure.querySelectorAll(".mark-symbol path, .mark-rect path, .mark-rule line")) {
      const point = element.__data__?.datum?.point;
      if (point === undefined) continue;
      element.classList.toggle("picked", point === selected);
      element.classList.toggle("dimmed", selected !== null && point !== selected);
    }
  }

  function save(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function csvOf(rows) {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const field = (value) => {
      const text = value == null ? "" : String(value);
      return /[",\\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
    };
    return [columns, ...rows.map((row) => columns.map((column) => row[column]))]
      .map((row) => row.map(field).join(",")).join("\\n") + "\\n";
  }

  function addLinks(figure) {
    const button = (label, onClick) => {
      const one = document.createElement("button");
      one.type = "button";
      one.textContent = label;
      one.addEventListener("click", onClick);
      return one;
    };
    const name = figure.id;
    figure.querySelector(".links").append(
      button("data (CSV)", () => save(name + ".csv", "text/csv", csvOf(specOf(figure).data.values))),
      button("Vega-Lite", () => save(name + ".vl.json", "application/json", JSON.stringify(specOf(figure), null, 2))),
    );
  }

  function makeSortable(table) {
    const body = table.tBodies[0];
    table.querySelectorAll("thead th[data-column]").forEach((header) => {
      header.querySelector("button").addEventListener("click", () => {
        const isAscending = header.getAttribute("aria-sort") !== "ascending";
        const at = Number(header.dataset.column);
        const value = (row) => row.cells[at].dataset.value ?? row.cells[at].textContent;
        const rows = [...body.rows].sort((a, b) => {
          const [x, y] = [value(a), value(b)];
          const [m, n] = [Number(x), Number(y)];
          if (x === "" || y === "") return (x === "") - (y === "");
          const order = Number.isNaN(m) || Number.isNaN(n) ? x.localeCompare(y) : m - n;
          return isAscending ? order : -order;
        });
        table.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
        header.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
        body.append(...rows);
      });
    });
  }

  const figures = [...document.querySelectorAll("figure[data-chart]")];
  // A chart is drawn when it is on the screen, and one near the screen when there is nothing else to do, so that a long
  // page opens at once; all are before printing.
  const begun = new Set();
  const drawOnce = async (figure) => {
    if (begun.has(figure)) return;
    begun.add(figure);
    await draw(figure);
  };
  const whenIdle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 50));
  const onceWithin = (rootMargin, found) => {
    const observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        found(target);
      }
    }, { rootMargin });
    return observer;
  };
  const seen = onceWithin("0px", (figure) => void drawOnce(figure));
  const near = onceWithin("800px", (figure) => whenIdle(() => void drawOnce(figure)));
  figures.forEach((figure) => { addLinks(figure); seen.observe(figure); near.observe(figure); });
  document.querySelectorAll("table.sortable").forEach(makeSortable);
  document.querySelectorAll("tr[data-point] button.pick").forEach((button) => button.addEventListener("click", () => {
    const { point } = button.closest("tr").dataset;
    select(point === selected ? null : point);
  }));
  document.querySelectorAll("button.copy").forEach((button) => button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "selected: copy it with the keyboard";
    }
  }));
  panel?.querySelector(".clear").addEventListener("click", () => select(null));
  addEventListener("keydown", (event) => { 
    if (event.key !== "Escape") return;
    if (selected !== null) select(null);
    followed = null;
    figures.filter(isOverTime).forEach(followIn);
  });
  // On paper every chart is there, in the width of the paper and in the colours of the light page.
  function print(isBegin) {
    if (isBegin) document.documentElement.dataset.printing = "true";
    else delete document.documentElement.dataset.printing;
    for (const figure of figures) {
      begun.add(figure);
      void draw(figure);
    }
  }
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  darkness.addEventListener("change", () => begun.forEach(draw));
  addEventListener("scroll", () => { tooltip.style.visibility = "hidden"; }, { passive: true });
  document.documentElement.dataset.ready = "true";
})();
`;

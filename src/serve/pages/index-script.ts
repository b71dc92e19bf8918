/** What runs in the list of results: filters as one types, sorts, counts ticks; the address keeps all of it for Back. */
export const INDEX_SCRIPT = `
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const filter = byId("filter");
  if (filter === null) { document.documentElement.dataset.ready = "true"; return; }
  const body = document.querySelector("table.results tbody");
  const rows = [...body.rows].map((row) => ({
    row, isKept: "kept" in row.dataset, tick: row.querySelector("input"), text: row.textContent.toLowerCase(),
  }));
  const headers = [...document.querySelectorAll("th[data-column]")];
  const kept = byId("kept");
  const count = (n, one) => n.toLocaleString("en") + " " + one + (n === 1 ? "" : "s");

  function showMatches() {
    const words = filter.value.toLowerCase().split(/\\s+/).filter((word) => word !== "");
    let shown = 0, all = 0;
    for (const { row, isKept, text } of rows) {
      const isListed = !isKept || kept.checked;
      const isShown = isListed && words.every((word) => text.includes(word));
      row.hidden = !isShown;
      all += isListed;
      shown += isShown;
    }
    byId("none").hidden = shown > 0;
    byId("shown").textContent = shown === all ? count(all, "result") : shown.toLocaleString("en") + " of " + count(all, "result");
  }

  function showTicks() {
    const ticked = rows.filter(({ tick }) => tick !== null && tick.checked);
    const unseen = ticked.filter(({ row }) => row.hidden).length;
    byId("compare").disabled = ticked.length < 2;
    byId("ticked").textContent = ticked.length < 2
      ? "Tick two or more to see them side by side."
      : ticked.length + " ticked" + (unseen > 0 ? ", " + unseen + " of them filtered out" : "");
  }

  function sortBy(header, direction) {
    const at = Number(header.dataset.column), sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map((entry) => ({ entry, value: entry.row.cells[at].dataset.value }));
    const isNumeric = keyed.every(({ value }) => value === "" || !Number.isNaN(Number(value)));
    keyed.sort((a, b) => {
      if (a.value === "" || b.value === "") return (a.value === "") - (b.value === "");
      return sign * (isNumeric ? a.value - b.value : a.value.localeCompare(b.value));
    });
    for (const other of headers) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction);
    body.append(...keyed.map(({ entry }) => entry.row));
  }

  function keepInAddress() {
    const sorted = headers.find((header) => header.hasAttribute("aria-sort"));
    const address = new URLSearchParams();
    if (filter.value !== "") address.set("filter", filter.value);
    if (kept?.checked) address.set("kept", "1");
    for (const { tick } of rows) if (tick?.checked) address.append("of", tick.value);
    address.set("sort", sorted.dataset.column + "-" + sorted.getAttribute("aria-sort"));
    history.replaceState(null, "", "?" + address);
  }
  function readAddress() {
    const address = new URLSearchParams(location.search);
    filter.value = address.get("filter") ?? "";
    if (kept !== null) kept.checked = address.has("kept");
    const ticked = new Set(address.getAll("of"));
    for (const { tick } of rows) if (tick !== null) tick.checked = ticked.has(tick.value);
    const [column, direction] = (address.get("sort") ?? "").split("-");
    const header = headers.find(({ dataset }) => dataset.column === column);
    if (header !== undefined && ["ascending", "descending"].includes(direction)) sortBy(header, direction);
  }

  const onFilter = () => { showMatches(); showTicks(); keepInAddress(); };
  filter.addEventListener("input", onFilter);
  kept?.addEventListener("change", onFilter);
  filter.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  byId("clear").addEventListener("click", () => { filter.value = ""; onFilter(); filter.focus(); });
  body.addEventListener("change", () => { showTicks(); keepInAddress(); });
  for (const header of headers) {
    header.firstChild.addEventListener("click", () => {
      const now = header.getAttribute("aria-sort"), { first } = header.dataset;
      sortBy(header, now === first ? (first === "ascending" ? "descending" : "ascending") : first);
      keepInAddress();
    });
  }
  readAddress();
  showMatches();
  showTicks();
  document.documentElement.dataset.ready = "true";
})();
`;

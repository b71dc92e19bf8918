/** What runs in the form: asks the server, as one fills it in, what it would run, and shows that or what is wrong. */
export const NEW_SWEEP_SCRIPT = `
(() => {
  "use strict";
  const PAUSE_MS = 400;
  const form = document.getElementById("new-sweep"), check = document.getElementById("check"), command = document.getElementById("command");
  let timer, latest = 0;
  async function ask() {
    const mine = ++latest;
    let answer;
    try {
      const response = await fetch("/sweeps/check", { method: "POST", body: new URLSearchParams(new FormData(form)) });
      answer = response.ok ? await response.json() : { problem: "This page is of an earlier start of pdbench serve: load it again." };
    } catch {
      answer = { problem: "No answer: does pdbench serve still run?" };
    }
    if (mine !== latest) return;
    check.textContent = answer.problem ?? answer.words;
    check.classList.toggle("worse", answer.problem !== undefined);
    command.hidden = answer.command === undefined;
    command.textContent = answer.command ?? "";
    document.documentElement.dataset.checked = String(mine);
  }
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE_MS); });
  document.getElementById("problem")?.focus();
  void ask();
})();
`;

import { escapeHtml } from "../../report/html/escape.js";
import type { JobState, JobStatus } from "../sweep-jobs.js";

/** What one can do in each state; the page's script shows the part that applies. */
const ACTIONS: readonly (readonly [readonly JobStatus[], (job: JobState, token: string) => string])[] = [
  [["waiting", "running"], stopForm],
  [
    ["done"],
    ({ out }) => `<a class="button" href="/results?of=${encodeURIComponent(out)}">Open the report</a>`,
  ],
  [["stopped"], ({ id }) => `<a class="button" href="/sweeps/new?job=${id}">Go on</a>`],
  [["failed"], ({ id }) => `<a class="button" href="/sweeps/new?job=${id}">Change it and start again</a>`],
];

/** A sweep that was started here, with its progress; `JOB_SCRIPT` keeps it up to date. */
export function jobCard(job: JobState, token: string): string {
  const { id, out, status, done, total, words } = job;
  const name = escapeHtml(out);
  const actions = ACTIONS.map(([statuses, html]) => {
    const isShown = statuses.includes(status);
    return `<div data-when="${statuses.join(" ")}"${isShown ? "" : " hidden"}>${html(job, token)}</div>`;
  });
  return `<section class="job" data-job="${id}" data-status="${status}" aria-label="Sweep ${name}">
<h2><a href="/sweep?id=${id}">${name}</a> <span class="status" role="status">${status}</span></h2>
<progress max="${Math.max(1, total)}" value="${done}" aria-label="Runs of ${name} that are done"></progress>
<p class="words">${escapeHtml(words)}</p>
<div class="ways">${actions.join("")}</div>
</section>`;
}

function stopForm({ id }: JobState, token: string): string {
  return `<form action="/sweep/stop" method="post"><input type="hidden" name="token" value="${token}">
<input type="hidden" name="id" value="${id}"><button type="submit" class="plain">Stop</button></form>`;
}

/** Follows the server's events and writes them into the cards of the page. */
export const JOB_SCRIPT = `
(() => {
  "use strict";
  const cards = new Map([...document.querySelectorAll("[data-job]")].map((card) => [Number(card.dataset.job), card]));
  if (cards.size === 0) return;
  const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const title = document.title;
  function show(job) {
    const card = cards.get(job.id);
    if (card === undefined) return;
    card.dataset.status = job.status;
    const progress = card.querySelector("progress");
    progress.max = Math.max(1, job.total);
    progress.value = job.done;
    write(card.querySelector(".words"), job.words);
    write(card.querySelector(".status"), job.status);
    for (const part of card.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(job.status);
    if (cards.size === 1) {
      document.title = (job.status === "running" ? Math.floor((100 * job.done) / Math.max(1, job.total)) + " % " : job.status + ": ") + title;
    }
  }
  const events = new EventSource("/events");
  events.onmessage = ({ data }) => JSON.parse(data).forEach(show);
  events.onerror = () => {
    for (const card of cards.values()) {
      if (["waiting", "running"].includes(card.dataset.status)) write(card.querySelector(".words"), "no answer from pdbench serve, trying again");
    }
  };
  // An open stream would keep the page from being shown again by the Back button.
  addEventListener("pagehide", () => events.close());
})();
`;

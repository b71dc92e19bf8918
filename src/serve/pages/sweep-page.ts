import { escapeHtml } from "../../report/html/escape.js";
import type { Reply } from "../reply.js";
import type { JobState } from "../sweep-jobs.js";
import { JOB_SCRIPT, jobCard } from "./job-card.js";
import { pageReply } from "./layout.js";

/** A sweep that was started here: how far it is, and what to do next. */
export function sweepPage(job: JobState, command: string, token: string): Reply {
  const body = `<h1>Sweep</h1>
${jobCard(job, token)}
<p class="note">The page may be closed: the sweep goes on as long as pdbench serve runs. What is finished is kept; a sweep that was
stopped goes on where it was.</p>
<h2 class="small">The same from a terminal</h2>
<pre tabindex="0">${escapeHtml(command)}</pre>`;
  return pageReply({ title: `Sweep ${job.out}`, body, script: JOB_SCRIPT });
}

import { escapeHtml } from "../../report/html/escape.js";
import type { PageError } from "../page-error.js";
import type { Reply } from "../reply.js";
import { pageReply, type PageParts } from "./layout.js";

/** What is shown when a page cannot be: what is wrong, and the next step. */
export function errorPage(
  { status, message, nextStep }: PageError,
  layout: PageParts["layout"] = "text",
): Reply {
  const back = layout === "frame" ? "" : `<p><a href="/">Back to all results</a></p>`;
  const body = `<h1>${status === 404 ? "Not found" : "That did not work"}</h1>
<section class="verdict bad" role="alert"><p>${escapeHtml(message)}</p></section>
<p>${escapeHtml(nextStep)}</p>
${back}`;
  return pageReply({ title: "That did not work", body, status, layout });
}

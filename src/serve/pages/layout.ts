import { randomBytes } from "node:crypto";
import { escapeHtml } from "../../report/html/escape.js";
import { PAGE_STYLE } from "../../report/html/style.js";
import { textReply, type Reply } from "../reply.js";
import { SERVE_STYLE } from "./style.js";

export interface PageParts {
  readonly title: string;
  /** HTML of the main part. */
  readonly body: string;
  /** Code that runs in the page. */
  readonly script?: string;
  readonly status?: number;
  /** `wide` uses the whole window, `report` is all frame; `frame` is shown within another page of ours, without navigation. */
  readonly layout?: "text" | "wide" | "report" | "frame";
}

/** A page: style and script are inside, and nothing else runs, whatever a name in it says. */
export function pageReply({ title, body, script, status = 200, layout = "text" }: PageParts): Reply {
  const nonce = randomBytes(16).toString("base64");
  const isFrame = layout === "frame";
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} - pdbench</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${PAGE_STYLE}${SERVE_STYLE}</style>
</head>
<body class="${layout}">
${isFrame ? "" : NAVIGATION}
<main id="main">
${body}
</main>
${script === undefined ? "" : `<script nonce="${nonce}">${script}</script>`}
</body>
</html>
`;
  const policy =
    `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; ` +
    `frame-src 'self'; form-action 'self'; img-src data:; base-uri 'none'; frame-ancestors ${isFrame ? "'self'" : "'none'"}`;
  return textReply(status, "text/html", html, { "content-security-policy": policy });
}

const NAVIGATION = `<a class="skip" href="#main">Skip to content</a>
<nav aria-label="pdbench"><a href="/"><b>pdbench</b> results</a><a href="/sweeps/new">New sweep</a></nav>`;

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { PageError } from "./page-error.js";

const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost)(:\d{1,5})?$/i;
const FORM_TYPE = "application/x-www-form-urlencoded";
const MOST_FORM_BYTES = 64 << 10;

/**
 * A page elsewhere can give its own name the address 127.0.0.1 (DNS rebinding) and then reads what it likes; the name
 * in `Host` gives it away. Any port: the visitor may come through a tunnel.
 *
 * @throws PageError
 */
export function checkHost({ host }: IncomingHttpHeaders): void {
  if (host !== undefined && LOOPBACK_HOST.test(host)) return;
  throw new PageError(
    403,
    `This server answers to 127.0.0.1 and localhost only, not to ${JSON.stringify(host ?? "")}.`,
    "Open the address that pdbench serve has printed. From another machine, use a tunnel: ssh -L PORT:127.0.0.1:PORT HOST.",
  );
}

/**
 * Reads a form that one of our own pages has sent.
 *
 * @param token what is in every form of ours
 * @throws PageError for a form from elsewhere, one without the token, or one that is too long
 */
export async function readForm(request: IncomingMessage, token: string): Promise<URLSearchParams> {
  const { origin, host, "content-type": type = "" } = request.headers;
  if (origin !== `http://${host!}`) throw foreign("The form was not sent from a page of this server.");
  if (type.split(";")[0]!.trim().toLowerCase() !== FORM_TYPE) {
    throw new PageError(415, `Expected a form (${FORM_TYPE}).`, "Use the form of the page.");
  }
  const form = new URLSearchParams(await readBody(request));
  if (!isSame(form.get("token") ?? "", token)) {
    throw foreign("The form is not of this server, or of an earlier start of it.");
  }
  return form;
}

async function readBody(request: IncomingMessage): Promise<string> {
  // Browsers say how long a form is, and the parser holds them to it.
  const bytes = Number(request.headers["content-length"] ?? NaN);
  if (!(bytes <= MOST_FORM_BYTES)) {
    throw new PageError(413, `Expected a form of at most ${MOST_FORM_BYTES} bytes.`, "Write it shorter.");
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Compares in a time that tells nothing of where texts differ. */
function isSame(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(a!, b!);
}

function foreign(message: string): PageError {
  return new PageError(403, message, "Load the page with the form again, and send it from there.");
}

import { InputError } from "../errors.js";
import type { RecommendOptions } from "../report/recommendation.js";
import { REPORT_FORMATS, reportOn, reportText, type ReportFormat } from "../report/write-report.js";
import { openResults, type NamedResults } from "./open-results.js";
import { PageError } from "./page-error.js";
import { textReply, type Reply } from "./reply.js";

/**
 * A report runs its own scripts on names and notes of files that may be from anywhere: they run as a stranger to this
 * server's pages, and may ask for nothing.
 */
const REPORT_POLICY =
  "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; " +
  "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const TYPES: Readonly<Record<ReportFormat, string>> = {
  html: "text/html",
  md: "text/markdown",
  csv: "text/csv",
  json: "application/json",
};

/**
 * The report that `pdbench report` makes of the same directories.
 *
 * @param format null = HTML to look at; otherwise a file to keep
 * @throws PageError when there is none
 */
export async function reportReply(
  named: NamedResults,
  options: RecommendOptions,
  format: string | null,
): Promise<Reply> {
  const wanted = formatOf(format ?? "html");
  try {
    const text = await reportText(await reportOn(await openResults(named), options), wanted);
    const keep =
      format === null ? {} : { "content-disposition": `attachment; filename="${fileName(named)}.${wanted}"` };
    return textReply(200, TYPES[wanted], text, { "content-security-policy": REPORT_POLICY, ...keep });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const isChoice = /^(--baseline|--objective|unknown metric)/.test(error.message);
    const nextStep = isChoice
      ? "Choose another, or open the results from the list again."
      : "Correct or remove the file, then load the page again.";
    throw new PageError(422, error.message, nextStep);
  }
}

function formatOf(name: string): ReportFormat {
  const format = REPORT_FORMATS.find((known) => known === name);
  if (format !== undefined) return format;
  throw new PageError(
    400,
    `There is no format ${JSON.stringify(name)}.`,
    `Expected one of ${REPORT_FORMATS.join(", ")}.`,
  );
}

/** A name that any file system takes. */
function fileName({ paths }: NamedResults): string {
  const [first] = paths;
  const name = paths.length === 1 ? first!.split("/").at(-1)! : "comparison";
  const plain = name.replaceAll(/[^A-Za-z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return plain === "" ? "report" : plain.slice(0, 80);
}

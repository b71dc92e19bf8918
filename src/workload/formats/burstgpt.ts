import { columnOf } from "./csv-fields.js";
import { atLeastZero, numberIn, wholeNumber } from "./fields.js";
import type { CsvFormat } from "./format.js";
import { SessionNumbers } from "./session-numbers.js";

/**
 * Times in seconds since midnight of the first day. Requests with 0 response tokens failed and are left out;
 * later releases have a session id; there are no prefix blocks.
 */
export const burstgpt: CsvFormat = {
  kind: "csv",
  name: "burstgpt",
  summary: "Timestamp (s), Request tokens, Response tokens, optional Session ID, comma-separated",
  source: "HPMLL/BurstGPT",
  fields: ["Timestamp", "Request tokens", "Response tokens"],
  blockTokens: 16,
  openReader(trace, header) {
    const [time, request, response] = this.fields.map((field) => columnOf(header, field)) as [
      number,
      number,
      number,
    ];
    const sessionColumn = columnOf(header, "Session ID");
    const sessions = new SessionNumbers();
    return (row) => {
      const arrivalMs = atLeastZero("Timestamp", numberIn(row[time])) * 1000;
      const outputTokens = wholeNumber("Response tokens", numberIn(row[response]), 0);
      const inputTokens = wholeNumber("Request tokens", numberIn(row[request]), outputTokens === 0 ? 0 : 1);
      if (outputTokens === 0) {
        trace.addFailure();
        return;
      }
      // API calls have an empty session id.
      const name = row[sessionColumn]?.trim() ?? "";
      trace.add({
        arrivalMs,
        inputTokens,
        outputTokens,
        session: name === "" ? -1 : sessions.numberOf(name),
      });
    };
  },
};

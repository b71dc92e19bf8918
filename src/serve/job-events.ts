import type { ServerResponse } from "node:http";
import type { Reply } from "./reply.js";
import type { SweepJobs } from "./sweep-jobs.js";

/** Runs may end by the thousand a second; nobody reads faster than this. */
const MS_BETWEEN_EVENTS = 100;

/** The state of every sweep as server-sent events: now, and again whenever something has changed. */
export function jobEvents(jobs: SweepJobs): Reply {
  return {
    status: 200,
    headers: { "content-type": "text/event-stream" },
    body: (response) => follow(jobs, response),
  };
}

function follow(jobs: SweepJobs, response: ServerResponse): void {
  let timer: NodeJS.Timeout | null = null;
  const send = (): void => {
    timer = null;
    response.write(`data: ${JSON.stringify(jobs.states())}\n\n`);
  };
  const unlisten = jobs.listen(() => (timer ??= setTimeout(send, MS_BETWEEN_EVENTS)));
  response.on("close", () => {
    unlisten();
    if (timer !== null) clearTimeout(timer);
  });
  send();
}

import { parentPort, workerData } from "node:worker_threads";
import type { ExecutorContext, SweepTask } from "./executor.js";
import { TaskRunner } from "./task-runner.js";

/** What a thread is started with. */
export type WorkerInput = Pick<ExecutorContext, "traces">;

const runner = new TaskRunner((workerData as WorkerInput).traces);

parentPort!.on("message", (task: SweepTask) => {
  void runner.run(task).then((result) => parentPort!.postMessage(result));
});

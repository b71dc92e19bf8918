import { parentPort } from "node:worker_threads";
import { TaskRunner, type TaskInput } from "./task-runner.js";

const runner = new TaskRunner();

parentPort!.on("message", (input: TaskInput) => {
  void runner.run(input).then((result) => parentPort!.postMessage(result));
});

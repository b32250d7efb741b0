import { join } from "node:path";
import { runProgram } from "../harness/part.ts";
import { testCommand, type Part } from "../harness/test-command.ts";
import { nodeBinary } from "../lab/checkout.ts";

const task = (name: string): Part => ({
  name: `npm run ${name}`,
  run: () => runProgram([nodeBinary, join(import.meta.dirname, `${name.replace("test:", "").replace(/^lab$/, "lab-tests")}.ts`)]),
});

await testCommand(["check", "test:lab", "test:contract", "test:conformance", "test:crash", "demo"].map(task), { root: true });

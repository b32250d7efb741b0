import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { runProgram } from "../harness/part.ts";
import { testCommand, type Part } from "../harness/test-command.ts";
import { nodeBinary } from "../lab/checkout.ts";

const GiB = 1024 ** 3;
/** A guest has one CPU, and at most 3 GiB of memory, with as much again for what its disks hold and for jest. */
const AT_ONCE = Math.max(1, Math.min(2, availableParallelism(), Math.floor(totalmem() / (6 * GiB))));

const file = (name: string): string => join(import.meta.dirname, `${name.replace("test:", "").replace(/^lab$/, "lab-tests")}.ts`);
const alone = (name: string): Part => ({ name: `npm run ${name}`, run: () => runProgram([nodeBinary, file(name)]) });
const beside = (name: string): Part => ({ name: `npm run ${name}`, run: () => runProgram([nodeBinary, file(name)], name), beside: true });

await testCommand([alone("check"), ...["test:lab", "test:crash", "test:contract", "test:conformance", "test:chart"].map(beside), alone("demo")], {
  root: true,
  atOnce: AT_ONCE,
});

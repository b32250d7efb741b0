import { join } from "node:path";
import { runJest } from "../harness/jest.ts";
import { runProgram } from "../harness/part.ts";
import { testCommand } from "../harness/test-command.ts";
import { checkout } from "../lab/checkout.ts";

const tool = (name: string, ...args: string[]) => runProgram([join(checkout, "node_modules/.bin", name), ...args]);

await testCommand(
  [
    { name: "format", run: () => tool("oxfmt", "--check", ".") },
    { name: "lint", run: () => tool("oxlint") },
    { name: "types", run: () => tool("tsc", "-p", ".") },
    { name: "unit and contract tests, simulated kernel", run: () => runJest(["unit", "contract"], [], ["--maxWorkers=100%"]) }, // jest leaves one core idle otherwise
  ],
  { root: false },
);

import { join } from "node:path";
import { runProgram } from "../harness/part.ts";
import { checkout } from "../lab/checkout.ts";

const { failed } = await runProgram([join(checkout, "node_modules/.bin/oxfmt"), ...process.argv.slice(2), "."]);
process.exitCode = failed;

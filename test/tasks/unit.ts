import { runJest } from "../harness/jest.ts";
import { JEST_WORDS, testCommand } from "../harness/test-command.ts";

await testCommand([{ name: "unit tests", run: () => runJest(["unit"], process.argv.slice(2)) }], { root: false, words: JEST_WORDS });

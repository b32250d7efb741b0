import { main } from "../conformance/run.ts";

await main();

import { writeSync } from "node:fs";
import { silentLogger } from "../../src/logger.ts";
import { WorkerPool } from "../../src/pool/worker/worker-pool.ts";
import { describePool } from "./bench.ts";
import { POOL, type Place } from "./real-driver.ts";

/** A second driver for the same pool, as it runs for users: tells what it may do, whenever that changes. */
const place = JSON.parse(process.argv[2] ?? "") as Place;
const pool = new WorkerPool({
  description: describePool(POOL, place),
  stateDirectory: place.state,
  runDirectory: place.state,
  bootId: "this one",
  deadManFd: undefined,
  logger: silentLogger,
});
let told = "";
setInterval(() => {
  const { kind } = pool.view.status;
  if (kind !== told) writeSync(1, `${kind}\n`);
  told = kind;
}, 5);

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Tally } from "../harness/tally.ts";
import { checkout } from "../lab/checkout.ts";
import { Metrics } from "../../src/metrics/metrics.ts";
import { parts } from "../unit/metrics/pools.ts";
import { promtool } from "./promtool.ts";

const ALERTS = join(checkout, "alerts");

/** Prometheus' own judgement: of the names and units that are exported, of the rules, and of when each alert fires. */
export async function alerts(): Promise<Tally> {
  const program = await promtool();
  const failures = [
    judge([program, "check", "metrics"], await exported()),
    judge([program, "check", "rules", "--lint-fatal", join(ALERTS, "dmthin.rules.yaml")]),
    judge([program, "test", "rules", join(ALERTS, "dmthin.rules.test.yaml")]),
  ].filter((each) => !each).length;
  return { passed: 3 - failures, failed: failures, skipped: 0 };
}

/** All that is ever exported: one pool has everything, and a call was answered. */
async function exported(): Promise<string> {
  const metrics = new Metrics(parts);
  metrics.observe({ method: "CreateVolume", code: "OK", seconds: 0.1 });
  return metrics.text();
}

function judge([program = "", ...args]: readonly string[], input = ""): boolean {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: "utf8", cwd: ALERTS });
  if (status !== 0) process.stdout.write(`promtool ${args.join(" ")}:\n${stdout}${stderr}`);
  return status === 0;
}

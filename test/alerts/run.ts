import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
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
    judge([program, "check", "rules"], await dashboardQueries()),
  ].filter((each) => !each).length;
  return { passed: 4 - failures, failed: failures, skipped: 0 };
}

/** All that is ever exported: one pool has everything, and a call was answered. */
async function exported(): Promise<string> {
  const metrics = new Metrics(parts);
  metrics.observe({ method: "CreateVolume", code: "OK", seconds: 0.1 });
  return metrics.text();
}

/** The dashboard's, as rules, with what Grafana puts in the place of its variables. */
async function dashboardQueries(): Promise<string> {
  const { panels } = JSON.parse(await readFile(join(checkout, "charts/dmthin/files/dashboards/dmthin.json"), "utf8")) as {
    readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  };
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "5m").replaceAll(/\$\w+/g, ".*")));
  return JSON.stringify({ groups: [{ name: "dashboard", rules: queries.map((expr, index) => ({ record: `dashboard:${index}`, expr })) }] });
}

function judge([program = "", ...args]: readonly string[], input = ""): boolean {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: "utf8", cwd: ALERTS });
  if (status !== 0) process.stdout.write(`promtool ${args.join(" ")}:\n${stdout}${stderr}`);
  return status === 0;
}

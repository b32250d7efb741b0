import { readFile } from "node:fs/promises";
import { afterAll, expect, test } from "@jest/globals";
import { Metrics } from "../../src/metrics/metrics.ts";
import { KUBELET_REGISTERED, UNCLAIMED_VOLUMES } from "../../src/metrics/role-gauges.ts";
import { parts } from "./metrics/pools.ts";
import { namesIn } from "./operations-page.ts";

/** What docs/operations.md says of errors is checked by errors.test.ts. */
const gauges = [KUBELET_REGISTERED, UNCLAIMED_VOLUMES].map((gauge) => ({ ...gauge, value: () => 0 }));
const metrics = new Metrics({ ...parts, cluster: { gauges } });
afterAll(async () => metrics.close());

test("docs/operations.md explains each alert, and none that there is not", async () => {
  const rules = await readFile(new URL("../../alerts/dmthin.rules.yaml", import.meta.url), "utf8");
  expect(await namesIn("Alerts")).toEqual([...rules.matchAll(/- alert: (\S+)/g)].map(([, name = ""]) => name));
});

test("docs/operations.md explains each metric, and none that there is not", async () => {
  const names = [...(await metrics.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
  expect((await namesIn("Metrics")).toSorted()).toEqual(names.toSorted());
});

import { readFile } from "node:fs/promises";
import { afterAll, expect, test } from "@jest/globals";
import { Metrics } from "../../../src/metrics/metrics.ts";
import { askedFor, seriesOf } from "../../alerts/exposition.ts";
import { parts } from "../metrics/pools.ts";

/** That each alert fires when it should is promtool's to say: test/alerts. */
const read = (path: string): Promise<string> => readFile(new URL(`../../../${path}`, import.meta.url), "utf8");

const metrics = new Metrics(parts);
afterAll(async () => metrics.close());
metrics.observe({ method: "Probe", code: "OK", seconds: 0.1 });
/** Prometheus adds it to all that it scrapes. */
const ADDED = "instance";

test.each(["alerts/dmthin.rules.yaml", "alerts/dmthin.rules.test.yaml"])("%s asks only for what is exported, by labels that it has", async (file) => {
  const exported = seriesOf(await metrics.text());
  const asked = askedFor(await read(file));
  expect(asked.length).toBeGreaterThan(15);
  for (const { name, labels } of asked) {
    expect([...exported.keys()]).toContain(name);
    for (const label of labels) expect([...(exported.get(name) ?? []), ADDED]).toContain(label);
  }
});

test("each alert has a severity, a summary and a description, and is tested", async () => {
  const rules = await read("alerts/dmthin.rules.yaml");
  const tests = await read("alerts/dmthin.rules.test.yaml");
  const blocks = rules.split("- alert: ").slice(1);
  expect(blocks.length).toBeGreaterThan(10);
  for (const block of blocks) {
    const name = block.split("\n")[0] ?? "";
    expect(block).toMatch(/severity: (critical|warning|info)\n/);
    expect(block).toMatch(/summary: ".*"\n\s+description: ".*"/);
    expect(tests).toMatch(new RegExp(`alertname: ${name}\\n\\s+exp_alerts:`));
    expect(tests).toMatch(new RegExp(`alertname: ${name} \\}`));
  }
});

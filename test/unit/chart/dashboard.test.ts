import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { Metrics } from "../../../src/metrics/metrics.ts";
import { askedFor, seriesOf } from "../../alerts/exposition.ts";
import { CHART } from "../../chart/generated.ts";
import { parts } from "../metrics/pools.ts";

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly type: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string | { readonly query: string } }[] };
}

const metrics = new Metrics(parts);
afterAll(async () => metrics.close());
metrics.observe({ method: "Probe", code: "OK", seconds: 0.1 });
/** Prometheus adds them to all that it scrapes. */
const ADDED = ["instance", "job"];

const dashboard = JSON.parse(await readFile(join(CHART, "files/dashboards/dmthin.json"), "utf8")) as Dashboard;
const targets = dashboard.panels.flatMap(({ targets: each = [] }) => each);
const variables = dashboard.templating.list.map(({ query }) => (typeof query === "string" ? query : query.query));

test("each query asks for what is exported, by labels that it has", async () => {
  const exported = seriesOf(await metrics.text());
  const queries = [...targets.map(({ expr }) => expr), ...variables];
  expect(queries.length).toBeGreaterThan(25);
  for (const query of queries.filter((each) => each !== "prometheus")) {
    const asked = askedFor(query);
    expect({ query, asked: asked.length > 0 }).toEqual({ query, asked: true });
    for (const { name, labels } of asked) {
      expect([...exported.keys()]).toContain(name);
      for (const label of labels) expect([...(exported.get(name) ?? []), ...ADDED]).toContain(label);
    }
  }
});

test("each legend names labels that its query leaves", async () => {
  const exported = seriesOf(await metrics.text());
  for (const { expr, legendFormat } of targets) {
    const [first] = askedFor(expr);
    const kept = /by \(([^)]*)\)/.exec(expr)?.[1]?.split(", ") ?? [...(exported.get(first?.name ?? "") ?? []), ...ADDED];
    for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect({ expr, kept }).toEqual({ expr, kept: expect.arrayContaining([label]) });
  }
});

test("each panel has a title, and each but the rows a query", () => {
  for (const { title, type, targets: each = [] } of dashboard.panels) expect([title === "", type === "row" || each.length > 0]).toEqual([false, true]);
});

import { afterEach, describe, expect, test } from "@jest/globals";
import { Metrics, type MetricsParts } from "../../../src/metrics/metrics.ts";
import type { PoolView } from "../../../src/pool/pool.ts";
import { seriesOf } from "../../alerts/exposition.ts";
import { parts, pools } from "./pools.ts";

const open: Metrics[] = [];
afterEach(async () => {
  for (const metrics of open.splice(0)) await metrics.close();
});

async function serving(
  change: Partial<MetricsParts> = {},
): Promise<{ readonly metrics: Metrics; readonly get: (path: string, init?: RequestInit) => Promise<Response> }> {
  const metrics = new Metrics({ ...parts, ...change });
  open.push(metrics);
  const port = await metrics.listen();
  return { metrics, get: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init) };
}

const scrape = async (change: Partial<MetricsParts> = {}): Promise<string> => (await (await serving(change)).get("/metrics")).text();

test("a pool's figures are told in bytes, states as one series each, of which one is 1", async () => {
  const text = await scrape();
  for (const line of [
    'dmthin_build_info{version="1.2.3",node="node1"} 1',
    'dmthin_pool_status{pool="fast",status="ready"} 1',
    'dmthin_pool_status{pool="fast",status="refused"} 0',
    'dmthin_pool_status{pool="big",status="refused"} 1',
    'dmthin_pool_state{pool="fast",state="rw"} 1',
    'dmthin_pool_state{pool="fast",state="needs_check"} 0',
    'dmthin_pool_data_used_bytes{pool="fast"} 6553600',
    'dmthin_pool_data_size_bytes{pool="fast"} 10737418240',
    'dmthin_pool_data_minimum_free_bytes{pool="fast"} 1073741824',
    'dmthin_pool_metadata_used_bytes{pool="fast"} 20480',
    'dmthin_pool_metadata_size_bytes{pool="fast"} 67108864',
    'dmthin_pool_data_headroom_bytes{pool="fast"} 1048576',
    'dmthin_pool_metadata_exhausted{pool="fast"} 1',
    'dmthin_pool_metadata_extension_failing{pool="fast"} 1',
    'dmthin_pool_data_extended_timestamp_seconds{pool="fast"} 5',
    'dmthin_pool_provisioned_bytes{pool="fast"} 1073741824',
    'dmthin_pool_overcommit_ratio{pool="fast"} 0.1',
    'dmthin_pool_overcommit_limit_ratio{pool="fast"} 10',
    'dmthin_pool_volumes{pool="fast",kind="volume"} 1',
    'dmthin_pool_volumes{pool="fast",kind="snapshot"} 0',
    'dmthin_pool_deferred_deletions{pool="fast",reason="held-open"} 1',
    'dmthin_pool_orphans{pool="fast"} 1',
    'dmthin_pool_host_free_bytes{pool="fast"} 1073741824',
    'dmthin_pool_events_total{pool="fast",event="exhausted"} 2',
    'dmthin_volume_virtual_bytes{pool="fast",id="vol-a",name="odd \\"name\\"\\nwith all that labels must escape \\\\",kind="volume"} 1073741824',
    'dmthin_volume_mapped_bytes{pool="fast",id="vol-a",name="odd \\"name\\"\\nwith all that labels must escape \\\\",kind="volume"} 1048576',
    'dmthin_volume_exclusive_bytes{pool="fast",id="vol-a",name="odd \\"name\\"\\nwith all that labels must escape \\\\",kind="volume"} 524288',
    'dmthin_pool_exclusive_measured_timestamp_seconds{pool="fast"} 9',
  ])
    expect(text.split("\n")).toContain(line);
});

test("of a pool that does not serve there are no figures, rather than zeros; what is deleted is no volume", async () => {
  const lines = (await scrape()).split("\n");
  expect(lines.filter((line) => line.includes('pool="big"')).map((line) => line.split(/[{ ]/)[0])).toEqual([
    ...Array.from({ length: 4 }, () => "dmthin_pool_status"),
    "dmthin_pool_stuck_seconds",
    "dmthin_pool_overcommit_limit_ratio",
  ]);
  expect(lines.filter((line) => line.includes("vol-b"))).toEqual([]);
});

test("what is not so any more is gone at the next scrape", async () => {
  const [fast] = pools;
  if (fast === undefined) throw new TypeError("a pool");
  let view: PoolView = fast.view;
  const changing = {
    ...fast,
    get view() {
      return view;
    },
  };
  const { get } = await serving({ pools: [changing] });
  expect(await (await get("/metrics")).text()).toContain("dmthin_volume_mapped_bytes{");
  view = { ...view, status: { kind: "recovering" }, thins: new Map() };
  const text = await (await get("/metrics")).text();
  expect(text).not.toMatch(/dmthin_volume_mapped_bytes\{|dmthin_pool_data_used_bytes\{/);
  expect(text).toContain('dmthin_pool_status{pool="fast",status="recovering"} 1');
});

test("operations are counted by method and code, and timed by method; nothing that a caller chooses is a label", async () => {
  const { metrics, get } = await serving();
  metrics.observe({ method: "CreateVolume", code: "OK", seconds: 0.004 });
  metrics.observe({ method: "CreateVolume", code: "RESOURCE_EXHAUSTED", seconds: 0.2 });
  const text = await (await get("/metrics")).text();
  expect(text).toContain('dmthin_operations_total{method="CreateVolume",code="OK"} 1\n');
  expect(text).toContain('dmthin_operation_duration_seconds_bucket{le="0.005",method="CreateVolume"} 1\n');
  expect(text).toContain('dmthin_operation_duration_seconds_count{method="CreateVolume"} 2\n');
  const labels = [...seriesOf(text)].flatMap(([name, names]) => (name.startsWith("dmthin_volume_") ? [] : [...names]));
  expect(new Set(labels)).toEqual(new Set(["version", "node", "pool", "status", "state", "kind", "reason", "event", "method", "code", "le"]));
});

test("what is told of each volume can be switched off", async () => {
  expect(await scrape({ perVolume: false })).not.toContain("dmthin_volume_");
});

describe("health", () => {
  test("/healthz answers as long as the driver does; /readyz says whether it serves, and what does not", async () => {
    const { get } = await serving({ readiness: () => ({ ready: false, message: "pool big is not used" }) });
    expect([(await get("/healthz")).status, (await get("/readyz")).status]).toEqual([200, 503]);
    expect(await (await get("/readyz")).text()).toBe("pool big is not used\n");
    expect((await (await serving()).get("/readyz")).status).toBe(200);
  });
  test("nothing else is there, and nothing can be sent", async () => {
    const { get } = await serving();
    expect([(await get("/")).status, (await get("/metrics", { method: "POST", body: "x" })).status]).toEqual([404, 405]);
    expect((await get("/metrics?x=1", { method: "HEAD" })).headers.get("content-type")).toContain("text/plain");
  });
});

test("an address that is taken is an error, not a silence", async () => {
  const { metrics } = await serving();
  await expect(metrics.listen()).rejects.toThrow();
});

test("volumes are measured by the clock, one pool after the other, and not where nothing is served", async () => {
  const asked: string[] = [];
  const measured = Promise.withResolvers<void>();
  const measuring = pools.map((pool) => ({
    ...pool,
    calls: { measure: async () => (asked.push(pool.description.name), measured.resolve()) },
  })) as unknown as typeof pools;
  await serving({ pools: measuring, exclusiveIntervalMs: 1 });
  await measured.promise;
  expect(new Set(asked)).toEqual(new Set(["fast"]));
});

test("a role under Kubernetes tells its requests to the API server, and figures of its own, at each scrape anew", async () => {
  let count = 1;
  const gauges = [{ name: "dmthin_own", help: "Of its own.", value: () => count }];
  const { metrics, get } = await serving({ cluster: { gauges } });
  for (const code of ["200", "200", "unreachable"]) metrics.observeRequest({ verb: "list", kind: "ThinPool", code, seconds: 0.02 });
  const first = await (await get("/metrics")).text();
  expect(first).toContain('dmthin_api_requests_total{verb="list",kind="ThinPool",code="200"} 2\n');
  expect(first).toContain('dmthin_api_requests_total{verb="list",kind="ThinPool",code="unreachable"} 1\n');
  expect(first).toContain('dmthin_api_request_duration_seconds_count{verb="list"} 3\n');
  expect(first).toContain("dmthin_own 1\n");
  count = 2;
  expect(await (await get("/metrics")).text()).toContain("dmthin_own 2\n");
});

test("a role without pools says nothing of pools; one without a cluster nothing of an API server", async () => {
  expect(await scrape({ pools: undefined, cluster: { gauges: [] } })).not.toMatch(/dmthin_(pool|volume)_/);
  expect(await scrape()).not.toContain("dmthin_api_");
});

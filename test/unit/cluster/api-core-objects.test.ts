import { beforeEach, describe, expect, test } from "@jest/globals";
import { getClaim, removeTaint } from "../../../src/cluster/api/core-objects.ts";
import { CLAIM, NODE } from "../../../src/cluster/objects/core.ts";
import { SimulatedApiServer } from "../../simulation/api-server.ts";

let server: SimulatedApiServer;
beforeEach(() => {
  server = new SimulatedApiServer();
});

const STARTUP = { key: "dmthin.io/agent-not-ready", effect: "NoExecute" };
const OTHER = { key: "example.org/dedicated", effect: "NoSchedule", value: "gpu" };
const taintsOf = (name: string): unknown => (server.stored(NODE).get(name)?.["spec"] as { readonly taints?: unknown } | undefined)?.taints;

describe("a taint that is taken from a node", () => {
  test("leaves the others as they are", async () => {
    await server
      .objects(NODE)
      .create({ metadata: { name: "one" }, spec: { podCIDR: "10.0.0.0/24", taints: [STARTUP, OTHER, { ...STARTUP, effect: "NoSchedule" }] } });
    expect(await removeTaint(server.objects(NODE), "one", STARTUP.key)).toBe(true);
    expect(server.stored(NODE).get("one")).toMatchObject({ spec: { podCIDR: "10.0.0.0/24", taints: [OTHER] } });
  });

  test("that it does not have costs no change, nor does a node that is gone", async () => {
    await server.objects(NODE).create({ metadata: { name: "one" }, spec: { taints: [OTHER] } });
    expect(await removeTaint(server.objects(NODE), "one", STARTUP.key)).toBe(false);
    expect(await removeTaint(server.objects(NODE), "two", STARTUP.key)).toBe(false);
    expect(server.requests.filter(({ verb }) => verb === "patch")).toEqual([]);
  });

  test("does not take away one that comes at the same moment", async () => {
    const nodes = server.objects(NODE);
    await nodes.create({ metadata: { name: "one" }, spec: { taints: [STARTUP] } });
    let isFirst = true;
    server.beforeRequest = async ({ verb }) => {
      if (verb !== "patch" || !isFirst) return;
      isFirst = false;
      await nodes.patch("one", { spec: { taints: [STARTUP, OTHER] } });
    };
    expect(await removeTaint(nodes, "one", STARTUP.key)).toBe(true);
    expect(taintsOf("one")).toEqual([OTHER]);
  });

  test("from a node that never stops changing is an error, after some tries", async () => {
    const nodes = server.objects(NODE);
    await nodes.create({ metadata: { name: "one" }, spec: { taints: [STARTUP] } });
    let beat = 0;
    server.beforeRequest = async ({ verb }) => {
      if (verb === "patch" && beat % 2 === 0) {
        beat++;
        await nodes.patch("one", { metadata: { annotations: { beat: String(beat) } } });
        beat++;
      }
    };
    await expect(removeTaint(nodes, "one", STARTUP.key)).rejects.toMatchObject({ facts: { code: "api-conflict", kind: "Node" } });
  });
});

test("a claim is read in its namespace, with what the scheduler has written", async () => {
  const annotations = { "volume.kubernetes.io/selected-node": "two" };
  await server.objects(CLAIM, "team").create({ metadata: { name: "data", annotations } });
  expect((await getClaim(server, "team", "data"))?.metadata.annotations).toEqual(annotations);
  expect(await getClaim(server, "other", "data")).toBeUndefined();
});

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { writeManifest } from "../../src/config/manifest.ts";
import { manifestsOf } from "../../src/cluster/pools/volume-manifest.ts";
import { DRIVER_NAME } from "../../src/csi/options.ts";
import { TOPOLOGY_KEY } from "../../src/csi/topology.ts";
import { bytes, GiB } from "../../src/units.ts";
import { volumeId } from "../../src/volumes/ids.ts";
import type { Volume } from "../../src/volumes/volumes.ts";
import { RealApiServer } from "./api-server.ts";
import { CHART } from "./generated.ts";

let server: RealApiServer;
beforeAll(async () => {
  server = await RealApiServer.start();
  const folder = join(CHART, "files/crds");
  for (const file of readdirSync(folder)) await server.must(["apply", "-f", join(folder, file)]);
  await server.must(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
}, 120_000);
afterAll(async () => server[Symbol.asyncDispose]());

const volume = (name: string, filesystem: "xfs" | undefined, sizeBytes: number): Volume => ({
  node: "node-1.example",
  pool: "fast",
  condition: { abnormal: false, message: "" },
  record: {
    kind: "volume",
    id: volumeId(name),
    name,
    number: 7,
    sizeBytes: bytes(sizeBytes),
    createdAt: new Date(0),
    transactionId: 3,
    state: "ready",
    filesystem: { type: filesystem, state: filesystem === undefined ? "none" : "formatted" },
    origin: { kind: "blank" },
    capabilities: [{ access: filesystem === undefined ? "block" : "mount", filesystem, mountFlags: [], mode: "SINGLE_NODE_WRITER" }],
    mkfsOptions: [],
    parameters: { discardOnDelete: false, xfsNospaceMaxRetries: "auto" },
    renewIdentity: false,
    growFilesystem: false,
    staging: undefined,
    publications: [],
  },
});

test.each([
  ["found", "xfs", 10 * GiB, "10Gi"],
  ["Block: 1", undefined, 65_536, "65536"],
] as const)("what is printed for an adopted volume, %s, is taken by the API server, and by kubectl again", async (name, filesystem, sizeBytes, storage) => {
  const manifest = writeManifest(manifestsOf(volume(name, filesystem, sizeBytes), { driver: DRIVER_NAME, topologyKey: TOPOLOGY_KEY }));
  for (let round = 0; round < 2; round++) await server.must(["apply", "--namespace", "default", "-f", "-"], manifest);
  const id = volumeId(name);
  expect(await server.must(["get", "pv", id, "-o", "jsonpath={.spec.csi.volumeHandle} {.spec.capacity.storage}"])).toBe(`${id} ${storage}`);
  expect(await server.must(["get", "thinvolume", id, "-o", "jsonpath={.spec.requiredBytes} {.spec.nodeName}"])).toBe(`${sizeBytes} node-1.example`);
  expect(await server.must(["get", "pvc", name === "found" ? name : id, "-o", "jsonpath={.spec.volumeName}"])).toBe(id);
});

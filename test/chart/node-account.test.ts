import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { RealApiServer, type Answer, type Impersonated, type WithToken } from "./api-server.ts";
import { CHART } from "./generated.ts";
import { NAMESPACE, renderText } from "./helm.ts";
import { accepted, object, refused, volume } from "./judged.ts";

const ACCOUNT = `system:serviceaccount:${NAMESPACE}:dmthin-node`;
const NODE_NAME = "authentication.kubernetes.io/node-name";
const NOT_ITS_OWN = "may change only what belongs to the node that its token is for";

let server: RealApiServer;

/** Without rules of their own: what is refused here, no definition refuses. */
async function definitions(): Promise<string> {
  const folder = join(CHART, "files/crds");
  const texts = await Promise.all((await readdir(folder)).map(async (name) => readFile(join(folder, name), "utf8")));
  const bare = texts.map((text) => JSON.stringify(parse(text), (key, value: unknown) => (key === "x-kubernetes-validations" ? undefined : value)));
  return bare.join("\n---\n");
}

const KINDS = [
  ["ThinVolume", "thinvolumes", volume],
  ["ThinSnapshot", "thinsnapshots", (more: object = {}) => ({ name: "s", sourceVolume: "vol-a", nodeName: "node1", poolName: "fast", ...more })],
  ["ThinSnapshotGroup", "thinsnapshotgroups", (more: object = {}) => ({ name: "g", sourceVolumes: ["vol-a"], nodeName: "node1", poolName: "fast", ...more })],
] as const;

const create = async (text: string, flags: readonly string[] = []): Promise<Answer> => server.kubectl(["create", "-f", "-", ...flags], text);
/** As the driver does it: kubectl reads the object first. */
const patch = async (plural: string, name: string, body: object, who: Impersonated | WithToken): Promise<Answer> =>
  server.patch(`/apis/dmthin.io/v1alpha1/${plural}/${name}`, body, who);

const as = (node: string | undefined): Impersonated => ({ user: ACCOUNT, extra: node === undefined ? {} : { [NODE_NAME]: node } });
const flags = (node: string): string[] => [`--as=${ACCOUNT}`, `--as-user-extra=${NODE_NAME}=${node}`];
const may = async (verb: string, what: string): Promise<boolean> => (await server.kubectl(["auth", "can-i", verb, what, "-A", ...flags("node1")])).isDone;

const finalizers = { metadata: { finalizers: ["dmthin.io/node"] } };
const ready = { status: { phase: "Ready" } };
const pool = (name: string, spec: object): string => object("NodeThinPool", name, spec);

/** As the DaemonSet's controller makes it and the scheduler places it. */
const POD_ON_NODE1 = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "on-node1", namespace: NAMESPACE },
  spec: { serviceAccountName: "dmthin-node", nodeName: "node1", containers: [{ name: "dmthin", image: "dmthin" }] },
};

/** What was given to the API server takes a moment to be in force. */
async function inForce(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    if (await isSo()) return;
    await sleep(500);
  }
  throw new Error(`${what} is not in force after 30 s`);
}

beforeAll(async () => {
  server = await RealApiServer.start();
  await server.must(["create", "namespace", NAMESPACE]);
  await server.must(["apply", "-f", "-"], await definitions());
  await server.must(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
  await server.must(["apply", "-f", "-"], await renderText({ values: { crds: { enabled: false } }, apis: [], hooks: false }));
  for (const [kind, , spec] of KINDS) {
    await server.must(["create", "-f", "-"], object(kind, "mine", spec()));
    await server.must(["create", "-f", "-"], object(kind, "theirs", spec({ nodeName: "node2" })));
  }
  await server.must(["create", "-f", "-"], pool("fast.node2", { poolName: "fast", nodeName: "node2" }));
  for (const [plural, name] of [...KINDS.map(([, plural]) => [plural, "theirs"] as const), ["nodethinpools", "fast.node2"] as const])
    await inForce("the policy", async () => !(await patch(plural, `${name}/status`, ready, as("node1"))).isDone);
}, 180_000);
afterAll(async () => server[Symbol.asyncDispose]());

describe.each(KINDS)("of a %s, the account of a node's pod", (kind, plural, spec) => {
  test("may accept, and say how things are, on its own node", async () => {
    accepted(await patch(plural, "mine", finalizers, as("node1")));
    accepted(await patch(plural, "mine/status", ready, as("node1")));
    accepted(await patch(plural, "mine", { metadata: { finalizers: [] } }, as("node1")));
  });

  test("may not touch another node's, nor its own by a token that is for no node", async () => {
    refused(await patch(plural, "theirs", finalizers, as("node1")), NOT_ITS_OWN);
    refused(await patch(plural, "theirs/status", ready, as("node1")), NOT_ITS_OWN);
    refused(await patch(plural, "mine", finalizers, as(undefined)), NOT_ITS_OWN);
    refused(await patch(plural, "mine/status", ready, as(undefined)), NOT_ITS_OWN);
  });

  test("may not change what is asked for, labels, owners, or others' finalizers", async () => {
    refused(await patch(plural, "mine", { spec: { name: "other" } }, as("node1")), "the controller's to say");
    refused(await patch(plural, "mine", { spec: { nodeName: "node2" } }, as("node1")), "the controller's to say");
    refused(await patch(plural, "theirs", { spec: { nodeName: "node1" } }, as("node1")), NOT_ITS_OWN);
    refused(await patch(plural, "mine", { metadata: { labels: { a: "b" } } }, as("node1")), "no labels");
    refused(await patch(plural, "mine", { metadata: { annotations: { a: "b" } } }, as("node1")), "no annotations");
    const owner = { apiVersion: "v1", kind: "Node", name: "node1", uid: "1" };
    refused(await patch(plural, "mine", { metadata: { ownerReferences: [owner] } }, as("node1")), "no owners");
    refused(await patch(plural, "mine", { metadata: { finalizers: ["dmthin.io/other"] } }, as("node1")), "only dmthin.io/node");
  });

  test("changes by a status nothing else, so that the policy need not look there", async () => {
    const more = { metadata: { labels: { a: "b" }, ...finalizers.metadata }, spec: { nodeName: "node2" } };
    accepted(await patch(plural, "mine/status", { ...more, ...ready }, as("node1")));
    const { metadata, ...found } = JSON.parse(await server.must(["get", plural, "mine", "-o", "json"])) as { metadata: object };
    expect(found).toMatchObject({ spec: spec(), status: { phase: "Ready" } });
    expect(metadata).not.toHaveProperty("labels");
    expect(metadata).not.toHaveProperty("finalizers");
  });

  test("has no right to make or delete one", async () => {
    refused(await server.kubectl(["delete", plural, "mine", ...flags("node1")]), "forbidden");
    refused(await create(object(kind, "new", spec()), flags("node1")), "forbidden");
  });
});

describe("the account of a node's pod", () => {
  test("has the NodeThinPools of its own node, and no other's", async () => {
    const mine = { poolName: "mine", nodeName: "node1" };
    accepted(await create(pool("mine.node1", mine), flags("node1")));
    accepted(await patch("nodethinpools", "mine.node1/status", ready, as("node1")));
    refused(await create(pool("mine.node2", { poolName: "mine", nodeName: "node2" }), flags("node1")), NOT_ITS_OWN);
    refused(await patch("nodethinpools", "mine.node1/status", { status: { phase: "Refused" } }, as("node2")), NOT_ITS_OWN);
    refused(await patch("nodethinpools", "mine.node1/status", ready, as(undefined)), NOT_ITS_OWN);
    refused(await server.kubectl(["delete", "nodethinpool", "mine.node1", ...flags("node2")]), NOT_ITS_OWN);
    accepted(await server.kubectl(["delete", "nodethinpool", "mine.node1", ...flags("node1")]));
    refused(await create(pool("mine.node2", mine), flags("node1")), "called by its pool and its node");
    refused(await create(pool("mine.nowhere", { poolName: "mine", nodeName: "" }), [`--as=${ACCOUNT}`]), NOT_ITS_OWN);
    const long = { poolName: "mine", nodeName: "n".repeat(249) };
    accepted(await create(pool(`mine.${"n".repeat(230)}-0123456789abcdef`, long), flags(long.nodeName)));
  });

  test("is held to the node that the API server has written into its pod's token", async () => {
    await server.must(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "Node", metadata: { name: "node1" } }));
    await server.must(["create", "-f", "-"], JSON.stringify(POD_ON_NODE1));
    const bound = ["create", "token", "dmthin-node", "--namespace", NAMESPACE, "--bound-object-kind=Pod", "--bound-object-name=on-node1"];
    const token = (await server.must(bound)).trim();
    accepted(await patch("thinvolumes", "mine/status", ready, { token }));
    refused(await patch("thinvolumes", "theirs/status", ready, { token }), NOT_ITS_OWN);
    const unbound = (await server.must(["create", "token", "dmthin-node", "--namespace", NAMESPACE])).trim();
    refused(await patch("thinvolumes", "mine/status", ready, { token: unbound }), NOT_ITS_OWN);
  });

  test("has no rights to nodes, pools or claims beyond reading what it needs", async () => {
    for (const [verb, what] of [
      ["patch", "nodes"],
      ["patch", "thinpools"],
      ["get", "secrets"],
      ["get", "configmaps"],
      ["get", "persistentvolumeclaims"],
      ["list", "pods"],
      ["delete", "thinvolumes"],
      ["patch", "nodethinpools"],
    ] as const) {
      expect({ verb, what, may: await may(verb, what) }).toEqual({ verb, what, may: false });
    }
    expect(await may("get", "nodes")).toBe(true);
  });
});

describe("with every right to dmthin's objects, by a role that somebody else has bound, the policy alone holds the account", () => {
  beforeAll(async () => {
    await server.must(["create", "clusterrole", "wide", "--verb=*", "--resource=*.dmthin.io"]);
    await server.must(["create", "clusterrolebinding", "wide", "--clusterrole=wide", `--serviceaccount=${NAMESPACE}:dmthin-node`]);
    await inForce("the role", async () => may("delete", "thinvolumes.dmthin.io"));
  }, 60_000);

  test.each(KINDS)("from making or deleting a %s", async (kind, plural, spec) => {
    refused(await server.kubectl(["delete", plural, "mine", ...flags("node1")]), "neither make nor delete");
    refused(await server.kubectl(["delete", plural, "theirs", ...flags("node1")]), NOT_ITS_OWN);
    refused(await create(object(kind, "new", spec()), flags("node1")), "neither make nor delete");
    refused(await create(object(kind, "new", spec({ nodeName: "node2" })), flags("node1")), NOT_ITS_OWN);
  });

  test("from giving a NodeThinPool to another node, or taking one", async () => {
    accepted(await create(pool("fast.node1", { poolName: "fast", nodeName: "node1" }), flags("node1")));
    refused(await patch("nodethinpools", "fast.node1", { spec: { nodeName: "node2" } }, as("node1")), "stays its node's");
    refused(await patch("nodethinpools", "fast.node2", { spec: { nodeName: "node1" } }, as("node1")), NOT_ITS_OWN);
    refused(await patch("nodethinpools", "fast.node2", { metadata: { annotations: { "dmthin.io/forget": "true" } } }, as("node1")), NOT_ITS_OWN);
  });

  test("and nobody else: an administrator makes and deletes", async () => {
    accepted(await create(object("ThinVolume", "new", volume({ nodeName: "node2" }))));
    accepted(await server.kubectl(["delete", "thinvolume", "new"]));
  });
});

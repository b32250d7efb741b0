import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectApiServer } from "../../../src/cluster/api/connect.ts";
import { InClusterConnection } from "../../../src/cluster/api/in-cluster.ts";
import { KubeconfigConnection } from "../../../src/cluster/api/kubeconfig.ts";
import { kubernetesService } from "../../../src/config/environment.ts";
import { silentLogger } from "../../../src/logger.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dmthin-connections-"));
});
afterEach(async () => rm(directory, { recursive: true }));

const put = async (name: string, text: string): Promise<void> => writeFile(join(directory, name), text);

const connectPod = (host = "10.96.0.1"): InClusterConnection => new InClusterConnection({ host, port: "443" }, directory);
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a pod's way to the API server", () => {
  test("is its service account's", async () => {
    await put("token", "secret\n");
    await put("ca.crt", "an authority");
    const { server, headers, agent } = await connectPod().access();
    expect([server.href, headers]).toEqual(["https://10.96.0.1/", { authorization: "Bearer secret" }]);
    expect(agent).toBeInstanceOf(Agent);
    expect((agent as Agent).options).toMatchObject({ ca: "an authority", keepAlive: true });
    expect((await connectPod("fd00::1").access()).server.href).toBe("https://[fd00::1]/");
  });

  test("has the new token when the old one is not accepted, over the same connections", async () => {
    await put("token", "old");
    await put("ca.crt", "an authority");
    const connection = connectPod();
    const before = await connection.access();
    await put("token", "new");
    expect((await connection.access()).headers).toEqual({ authorization: "Bearer old" });
    const after = await connection.access({ renewed: true });
    expect(after.headers).toEqual({ authorization: "Bearer new" });
    expect(after.agent).toBe(before.agent);
  });

  test("is another when the cluster's authority is another", async () => {
    await put("token", "secret");
    await put("ca.crt", "an authority");
    const connection = connectPod();
    const before = await connection.access();
    await put("ca.crt", "another");
    const after = await connection.access({ renewed: true });
    expect(after.agent).not.toBe(before.agent);
    expect((after.agent as Agent).options.ca).toBe("another");
  });

  test("is missing without a service account, and the error says what to do, not what the token is", async () => {
    await put("token", "secret");
    const error: unknown = await connectPod()
      .access()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ facts: { code: "config-invalid", problems: [{ path: join(directory, "ca.crt") }] } });
    expect(String(error)).toMatch(/give the pod a service account/);
    expect(String(error)).not.toMatch(/secret/);
  });
});

test.each([
  [
    { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" },
    { host: "10.96.0.1", port: "443" },
  ],
  [{ KUBERNETES_SERVICE_HOST: "10.96.0.1" }, undefined],
  [{ KUBERNETES_SERVICE_HOST: "", KUBERNETES_SERVICE_PORT: "443" }, undefined],
  [{}, undefined],
])("of the environment %j the API server is %j", (environment, service) => {
  expect(kubernetesService(environment)).toEqual(service);
});

async function connectUser(user: object, cluster: object = {}): Promise<KubeconfigConnection> {
  await put(
    "kubeconfig",
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "lab", cluster: { server: "https://api.example:6443/k8s/lab", "certificate-authority-data": base64("an authority"), ...cluster } }],
      users: [{ name: "admin", user }],
      contexts: [{ name: "lab", context: { cluster: "lab", user: "admin" } }],
      "current-context": "lab",
    }),
  );
  return new KubeconfigConnection(join(directory, "kubeconfig"));
}

describe("a kubeconfig's way to the API server", () => {
  test("has its token, and the server's path", async () => {
    const { server, headers, agent } = await (await connectUser({ token: "secret" })).access();
    expect([server.href, headers]).toEqual(["https://api.example:6443/k8s/lab", { authorization: "Bearer secret" }]);
    expect(String((agent as Agent).options.ca)).toBe("an authority");
  });

  test("has its certificate, and the same connections for all requests", async () => {
    const connection = await connectUser(
      { "client-certificate-data": base64("a certificate"), "client-key-data": base64("a key") },
      { "tls-server-name": "other" },
    );
    const { headers, agent } = await connection.access();
    expect(headers).toEqual({});
    const { cert, key, servername, keepAlive } = (agent as Agent).options;
    expect([cert, key, servername, keepAlive]).toEqual([Buffer.from("a certificate"), Buffer.from("a key"), "other", true]);
    expect((await connection.access()).agent).toBe(agent);
  });

  test("has the certificate's file as it is now: it may be replaced", async () => {
    await put("admin.crt", "first");
    await put("admin.key", "a key");
    const connection = await connectUser({ "client-certificate": join(directory, "admin.crt"), "client-key": join(directory, "admin.key") });
    const before = await connection.access();
    await put("admin.crt", "second");
    const after = await connection.access();
    expect([before, after].map(({ agent }) => String((agent as Agent).options.cert))).toEqual(["first", "second"]);
  });

  test("has a name and a password where those are given", async () => {
    expect((await (await connectUser({ username: "a", password: "b" })).access()).headers).toEqual({ authorization: `Basic ${base64("a:b")}` });
  });

  test.each([
    ["that is not there", undefined],
    ["that is no kubeconfig", "- a list"],
    ["without a cluster", "{}"],
    ["that is no YAML", "{"],
  ])("one %s is a wrong configuration", async (_, text) => {
    if (text !== undefined) await put("kubeconfig", text);
    const connecting = connectApiServer({ kubeconfig: join(directory, "kubeconfig"), service: undefined, userAgent: "dmthin", logger: silentLogger });
    await expect(connecting).rejects.toMatchObject({ facts: { code: "config-invalid", source: join(directory, "kubeconfig") } });
  });
});

test("outside a pod and without a kubeconfig there is no way, and the error says so", async () => {
  const connecting = connectApiServer({ kubeconfig: undefined, service: undefined, userAgent: "dmthin", logger: silentLogger });
  await expect(connecting).rejects.toMatchObject({ facts: { code: "config-invalid", problems: [{ path: "kubeconfig" }] } });
});

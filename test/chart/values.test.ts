import { describe, expect, test } from "@jest/globals";
import { render } from "./helm.ts";
import { container, pod } from "./rendered.ts";

const imageOf = async (values: object): Promise<string> => container(pod(await render({ values }), "DaemonSet", "dmthin-node"), "dmthin").image;

describe("values", () => {
  test.each<[string, object, RegExp]>([
    ["an option that is none", { nonsense: 1 }, /additional properties 'nonsense'/],
    ["one that is none in a sidecar", { sidecars: { resizer: { threads: 3 } } }, /additional properties 'threads'/],
    ["a relative path", { kubeletPath: "var/lib/kubelet" }, /kubeletPath/],
    ["a pool's option that is none", { pools: { fast: { backing: { loop: { path: "/a" } } } } }, /additional properties 'path'|missing property 'directory'/],
    ["a pool's name that is none", { pools: { "Fast.Pool": {} } }, /at '\/pools': additional properties 'Fast.Pool' not allowed/],
    ["a second driver on a node while it is updated", { node: { updateStrategy: { rollingUpdate: { maxSurge: 1 } } } }, /maxSurge/],
    ["a class's parameter that is none", { storageClasses: [{ name: "a", parameters: { fsType: "xfs" } }] }, /additional properties 'fsType'/],
    ["a class without a name", { storageClasses: [{ default: true }] }, /name/],
    ["perhaps", { snapshots: { enabled: "perhaps" } }, /snapshots/],
    ["a duration without a unit", { controller: { nodeMissingFor: "10" } }, /nodeMissingFor/],
    ["a log level that is none", { log: { level: "verbose" } }, /log/],
    ["a flag without dashes", { sidecars: { provisioner: { extraArgs: ["v=5"] } } }, /extraArgs/],
    ["a digest that is none", { image: { digest: "latest" } }, /digest/],
  ])("are refused with %s", async (_, values, why) => {
    await expect(render({ values })).rejects.toThrow(why);
  });

  test("name images by tag or digest, from wherever they are", async () => {
    expect(await imageOf({})).toBe("dmthin:0.1.0");
    expect(await imageOf({ image: { registry: "registry.example.com", repository: "storage/dmthin", tag: "9" } })).toBe(
      "registry.example.com/storage/dmthin:9",
    );
    const digest = `sha256:${"a".repeat(64)}`;
    expect(await imageOf({ image: { digest } })).toBe(`dmthin@${digest}`);
  });

  test("fill a subchart's too", async () => {
    expect((await render({ values: { global: { anything: 1 } } })).length).toBeGreaterThan(20);
  });
});

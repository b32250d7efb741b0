import { expect, test } from "@jest/globals";
import descriptor from "../../../src/csi/generated/csi.json" with { type: "json" };
import { redact } from "../../../src/csi/redact.ts";

const messages = Object.entries(descriptor.nested.csi.nested.v1.nested) as [string, { fields?: Record<string, { options?: Record<string, unknown> }> }][];
const secrets = messages.flatMap(([type, { fields = {} }]) =>
  Object.entries(fields)
    .filter(([, field]) => field.options?.["(csi_secret)"] === true)
    .map(([name]) => [type, name] as const),
);

test("the protocol marks secrets, in requests that we answer", () => {
  expect(secrets.length).toBeGreaterThan(15);
  expect(secrets).toContainEqual(["NodeStageVolumeRequest", "secrets"]);
});

test.each(secrets)("%s hides %s", (type, name) => {
  expect(redact(type, { [name]: { key: "hunter2" } })).toEqual({ [name]: "***" });
});

test("what is no secret is shown at any depth, and what the protocol does not know is not", () => {
  const request = {
    name: "data",
    volumeCapabilities: [{ mount: { fsType: "ext4", mountFlags: ["ro"] }, accessType: "mount" }],
    injected: "hunter2",
    parameters: {},
  };
  expect(redact("CreateVolumeRequest", request)).toEqual({ name: "data", volumeCapabilities: [{ mount: { fsType: "ext4", mountFlags: ["ro"] } }] });
  expect(redact("UnheardOfRequest", { name: "hunter2" })).toEqual({});
});

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare } from "../../conformance/published-interface.ts";

/** `npm run test:conformance` compares with the published interface; here, that it sees what differs. */
const OURS = join(import.meta.dirname, "../../../proto/csi.proto");
let folder: string;
let published: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmthin-interface-"));
  published = (await readFile(OURS, "utf8"))
    .replaceAll(/^ *(VolumeCondition volume_condition|VOLUME_CONDITION) = .*\n/gm, "")
    .replace(/message VolumeCondition \{[^}]*\}\n/, "");
  await writeFile(join(folder, "published.proto"), published);
});
afterAll(async () => rm(folder, { recursive: true }));

const differences = async (from: string | RegExp, to: string): Promise<readonly string[]> => {
  const changed = (await readFile(OURS, "utf8")).replace(from, to);
  await writeFile(join(folder, "ours.proto"), changed);
  return compare(join(folder, "ours.proto"), join(folder, "published.proto"));
};

test("the published interface and the legacy volume condition are what we speak", () => {
  expect(compare(OURS, join(folder, "published.proto"))).toEqual([]);
});

test.each([
  ["a field's number", /string volume_id = 1;/, "string volume_id = 99;"],
  ["a field's type", /int64 capacity_bytes = 1;/, "int32 capacity_bytes = 1;"],
  ["a field's name", /string staging_target_path = 3;/, "string staging_path = 3;"],
  ["a secret's mark", / \[\(csi_secret\) = true\]/, ""],
  ["an enum value", /CLONE_VOLUME = 7;/, "CLONE_VOLUME = 77;"],
  ["a call", /rpc Probe\(ProbeRequest\) returns \(ProbeResponse\);/, ""],
  ["a stream", /returns \(stream /, "returns ("],
  ["a field of our own", /string vendor_version = 2;/, "string vendor_version = 2; string ours = 9;"],
  ["the legacy condition", /  VolumeCondition volume_condition = 2;.*\n/, ""],
])("%s that differs is seen", async (_what, from, to) => {
  expect((await differences(from, to)).length).toBeGreaterThan(0);
});

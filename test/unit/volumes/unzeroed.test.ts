import { expect, test } from "@jest/globals";
import { requireHiding } from "../../../src/volumes/unzeroed.ts";
import { expectRefusal, nodeForEachTest } from "./node.ts";

const node = nodeForEachTest({ pool: { zeroNewBlocks: false } });

test("in a pool that does not zero its chunks there are no raw block volumes, nor copies that are read as such: the others are as anywhere", async () => {
  const { client } = node;
  await expectRefusal(client.create("raw", { kind: "block" }), "invalid-argument", {
    problems: [
      expect.stringMatching(/^pool contract does not zero its chunks \(zeroNewBlocks: false\), and a raw block volume would show what others have deleted/),
    ],
  });
  expect(node.world.view.thins.size).toBe(0);
  const { record } = await client.create("files");
  const use = await client.mount(record.id);
  await client.unmount(use);
});

const pool = (zeroNewBlocks: boolean) => ({ name: "fast", zeroNewBlocks });
const mount = (mountFlags: readonly string[], mkfsOptions: readonly string[] = []) => ({ access: "mount" as const, mountFlags, mkfsOptions });

test.each([
  ["the mount option data=writeback", mount(["noatime,data=writeback"])],
  ["the mkfs option ^has_journal", mount([], ["-O", "extents,^has_journal"])],
  ["the mkfs option -O none", mount([], ["-O", "none"])],
  ["the mkfs option journal_data_writeback", mount([], ["-E", "mount_opts=journal_data_writeback"])],
  ["the mkfs option assume_storage_prezeroed", mount([], ["-E", "assume_storage_prezeroed=1"])],
] as const)("%s lets a filesystem show what it has not written: refused there, and there alone", (named, use) => {
  expect(() => requireHiding(pool(false), use)).toThrow(named);
  expect(() => requireHiding(pool(true), use)).not.toThrow();
});

test("what filesystems are usually given shows nothing", () => {
  for (const use of [mount(["noatime", "discard", "data=ordered"]), mount([], ["-m", "0", "-O", "metadata_csum,64bit"]), mount([], ["-d", "agcount=4"])])
    expect(() => requireHiding(pool(false), use)).not.toThrow();
});

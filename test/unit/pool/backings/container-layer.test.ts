import { tmpdir } from "node:os";
import { expect, test } from "@jest/globals";
import { isInContainerLayer } from "../../../../src/pool/backings/container-layer.ts";

const OVERLAY = 0x794c7630;
const EXT4 = 0xef53;
const looks = (filesystems: Readonly<Record<string, readonly [type: number, device: number]>>) => {
  const found = (path: string) => {
    const filesystem = filesystems[path];
    if (filesystem === undefined) throw new Error(`nobody asks for ${path}`);
    return filesystem;
  };
  return { type: async (path: string) => found(path)[0], device: async (path: string) => found(path)[1] };
};

test.each([
  ["a container's own layer", [OVERLAY, 1], [OVERLAY, 1], true],
  ["a folder of the host in a container", [OVERLAY, 1], [EXT4, 2], false],
  ["an overlay that somebody mounted", [EXT4, 1], [OVERLAY, 2], false],
  ["the root of a machine", [EXT4, 1], [EXT4, 1], false],
] as const)("%s", async (_, root, directory, expected) => {
  expect(await isInContainerLayer("/data", looks({ "/": root, "/data": directory }))).toBe(expected);
});

test("what is not there is an error, and no answer", async () => {
  await expect(isInContainerLayer(`${tmpdir()}/dmthin-nobody-made-this`)).rejects.toMatchObject({ code: "ENOENT" });
});

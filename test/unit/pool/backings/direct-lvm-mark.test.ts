import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { drawMark, isMarked, markOf, markTag, newVolumeUuid, readMark, removeMark, writeMark } from "../../../../src/pool/backings/direct-lvm-mark.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmthin-mark-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a mark is found again in the uuids and the tags that it made, and no other is", () => {
  const [mark, other] = [drawMark(), drawMark()];
  expect(mark).toMatch(/^[0-9a-z]{20}$/);
  const uuids = Array.from({ length: 100 }, () => newVolumeUuid(mark));
  expect(new Set(uuids).size).toBe(100);
  for (const uuid of uuids) expect(uuid).toMatch(/^dmthin-.{4}-.{4}-.{4}-.{4}-.{4}-.{6}$/);
  expect(uuids.every((uuid) => isMarked(uuid, mark))).toBe(true);
  expect(uuids.some((uuid) => isMarked(uuid, other))).toBe(false);
  expect(markOf(["dmthin", "dmthin-pool-fast", markTag(mark)])).toBe(mark);
  expect(markOf(["dmthin", "dmthin-pool-fast", "dmthin-mark-short"])).toBeUndefined();
});

test("it is on record from one start to the next; what is there and is none is refused, never replaced", async () => {
  const record = { mark: drawMark(), phase: "making", added: ["/dev/sdb"] } as const;
  expect(await readMark(folder)).toBeUndefined();
  await writeMark(folder, record);
  expect(await readMark(folder)).toEqual(record);
  await removeMark(folder);
  await removeMark(folder);
  expect(await readMark(folder)).toBeUndefined();
  for (const text of ["", "{}", '{"mark":"short","phase":"made","added":[]}', '{"mark":"01234567890123456789","phase":"new","added":[]}']) {
    writeFileSync(join(folder, "volume-group.json"), text);
    await expect(readMark(folder)).rejects.toThrow(/it is no record of a volume group/);
    expect(readFileSync(join(folder, "volume-group.json"), "utf8")).toBe(text);
  }
});

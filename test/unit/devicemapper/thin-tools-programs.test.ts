import { expect, test } from "@jest/globals";
import { parseThinDump, parseThinList } from "../../../src/devicemapper/thin-tools-programs.ts";

test("rows of thin_ls", () => {
  expect(parseThinList("       1       0           0\n16777215    4096          17\n")).toEqual([
    { number: 1, mappedChunks: 0, transactionId: 0, exclusiveChunks: undefined },
    { number: 16777215, mappedChunks: 4096, transactionId: 17, exclusiveChunks: undefined },
  ]);
});

test("rows with what a device has for itself alone", () => {
  expect(parseThinList("3 100 5 40")).toEqual([{ number: 3, mappedChunks: 100, transactionId: 5, exclusiveChunks: 40 }]);
});

test("a pool without thin devices", () => {
  expect(parseThinList("")).toEqual([]);
});

test.each(["DEV MAPPED TRANSACTION", "1 2", "1 2 x", "1 2 3 4k"])("%p is refused: a thin device that is not seen would be given away again", (text) => {
  expect(() => parseThinList(text)).toThrow("cannot be read");
});

const DUMP = `<superblock uuid="" time="1" transaction="5" version="2" data_block_size="128" nr_data_blocks="0">
  <device dev_id="1" mapped_blocks="0" transaction="0" creation_time="0" snap_time="0">
  </device>
  <device dev_id="16777215" mapped_blocks="4096" transaction="17" creation_time="0" snap_time="1">
  </device>
</superblock>
`;

test("devices of a thin_dump without mappings", () => {
  expect(parseThinDump(DUMP)).toEqual([
    { number: 1, mappedChunks: 0, transactionId: 0, exclusiveChunks: undefined },
    { number: 16777215, mappedChunks: 4096, transactionId: 17, exclusiveChunks: undefined },
  ]);
});

test("a dump without an end, or with a device that cannot be read, is refused: what is not seen would be given away again", () => {
  expect(() => parseThinDump(DUMP.slice(0, -10))).toThrow("no whole dump");
  expect(() => parseThinDump("")).toThrow("no whole dump");
  expect(() => parseThinDump(DUMP.replace('mapped_blocks="0"', 'mapped_blocks="-"'))).toThrow("cannot be read");
});

import { expect, test } from "@jest/globals";
import { parseThinList } from "../../../src/devicemapper/thin-tools-programs.ts";

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

import { PassThrough } from "node:stream";
import { expect, test } from "@jest/globals";
import { bar, paintFor, percent, wrap } from "../../../src/cli/terminal.ts";

test("a bar shows anything that is used, and is full only when all is", () => {
  expect(bar(0, 100, 10)).toBe("░░░░░░░░░░");
  expect(bar(1, 1000, 10)).toBe("█░░░░░░░░░");
  expect(bar(50, 100, 10)).toBe("█████░░░░░");
  expect(bar(999, 1000, 10)).toBe("█████████░");
  expect(bar(100, 100, 10)).toBe("██████████");
  expect(bar(120, 100, 10)).toBe("██████████");
  expect(bar(0, 0, 10)).toBe("░░░░░░░░░░");
});

test("nothing is called 100 % before it is", () => {
  expect(percent(999, 1000)).toBe("99 %");
  expect(percent(1000, 1000)).toBe("100 %");
  expect(percent(0, 0)).toBe("0 %");
  expect(percent(424, 1000)).toBe("42 %");
});

test("words are wrapped, a word longer than a line stands alone", () => {
  expect(wrap("one two three", 9, "  ")).toBe("  one two\n  three");
  expect(wrap("a 1234567890 b", 6, "")).toBe("a\n1234567890\nb");
  expect(wrap("by 20 %, to 3 GiB or 4 Bytes", 9, "")).toBe("by 20 %,\nto 3 GiB\nor 4\nBytes");
});

test("what is piped into a file has no colour codes in it", () => {
  expect(paintFor(new PassThrough())("red", "text")).toBe("text");
});

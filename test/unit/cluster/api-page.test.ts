import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { API_PAGE, apiPage } from "../../chart/api-page.ts";

test('docs/api.md is what "npm run generate" makes of the shapes', () => {
  expect(readFileSync(API_PAGE, "utf8")).toBe(apiPage());
});

test("a default is told where there is one to tell", () => {
  expect(apiPage()).not.toMatch(/Default: *\./);
  expect(apiPage()).toContain("Default: Pending.");
});

test("every field of every object has words that explain it", () => {
  const bare = apiPage()
    .split("\n")
    .filter((line) => /^\| `(spec|status)\..*\| \|$|^\| `(spec|status)[^|]*\|[^|]*\| +\|$/.test(line));
  expect(bare).toEqual([]);
});

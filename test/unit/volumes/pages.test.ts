import { expect, test } from "@jest/globals";
import { pageOf } from "../../../src/volumes/pages.ts";

interface Item {
  readonly id: string;
  readonly createdAt: Date;
}
const item = (id: string, time: number): Item => ({ id, createdAt: new Date(time) });
const list = (items: readonly Item[], maxEntries: number, startingToken = "") => pageOf("volumes", items, (each) => each, { maxEntries, startingToken });
const items = [item("d", 2), item("a", 1), item("c", 2), item("b", 1), item("e", 3)];

test("every item comes once, in the order of creation, whatever the page's size", () => {
  for (const size of [1, 2, 3, 5, 6]) {
    const seen: string[] = [];
    let token = "";
    do {
      const page = list(items, size, token);
      expect(page.items.length).toBeLessThanOrEqual(size);
      seen.push(...page.items.map(({ id }) => id));
      token = page.nextToken;
    } while (token !== "");
    expect(seen).toEqual(["a", "b", "c", "d", "e"]);
  }
});

test("no limit is everything", () => {
  expect(list(items, 0)).toMatchObject({ items: { length: 5 }, nextToken: "" });
});

test("between two pages, what is deleted hides nothing, and what is made is seen", () => {
  const { nextToken } = list(items, 2);
  const changed = [...items.filter(({ id }) => !["b", "c"].includes(id)), item("f", 4)];
  expect(list(changed, 0, nextToken).items.map(({ id }) => id)).toEqual(["d", "e", "f"]);
});

test("a token that this list did not give out is refused", () => {
  const other = pageOf("snapshots", items, (each) => each, { maxEntries: 1, startingToken: "" }).nextToken;
  for (const token of [
    "1",
    "none",
    "%%%",
    "W10",
    "bnVsbA",
    other,
    `${list(items, 1).nextToken}=`,
    Buffer.from('["volumes",1e999,"a"]').toString("base64url"),
  ]) {
    expect(() => list(items, 1, token)).toThrow(expect.objectContaining({ facts: { code: "bad-page-token", token } }));
  }
});

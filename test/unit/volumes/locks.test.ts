import { expect, test } from "@jest/globals";
import { DmthinError } from "../../../src/errors.ts";
import { Locks, type Subjects } from "../../../src/volumes/locks.ts";

const refusal = (locks: Locks, subjects: Subjects): unknown => {
  try {
    locks.take("second", subjects)[Symbol.dispose]();
    return "taken";
  } catch (error) {
    return error instanceof DmthinError ? error.facts : error;
  }
};

test("two operations never work on one volume at once, and the second learns what is under way", () => {
  const locks = new Locks();
  const first = locks.take("expansion", { exclusive: ["vol-a"] });
  expect(refusal(locks, { exclusive: ["vol-a"] })).toEqual({ code: "in-progress", kind: "volume", id: "vol-a", operation: "expansion" });
  first[Symbol.dispose]();
  expect(refusal(locks, { exclusive: ["vol-a"] })).toBe("taken");
});

test("what is refused leaves nothing locked behind", () => {
  const locks = new Locks();
  using _ = locks.take("staging", { exclusive: ["vol-b"] });
  expect(refusal(locks, { exclusive: ["vol-a", "vol-b"] })).toMatchObject({ id: "vol-b" });
  expect(refusal(locks, { exclusive: ["vol-a"] })).toBe("taken");
});

test("one snapshot is restored many times at once, and not deleted meanwhile", () => {
  const locks = new Locks();
  const first = locks.take("creation", { exclusive: ["vol-a"], shared: ["snap-s"] });
  const second = locks.take("creation", { exclusive: ["vol-b"], shared: ["snap-s"] });
  expect(refusal(locks, { exclusive: ["snap-s"] })).toMatchObject({ kind: "snapshot", operation: "creation" });
  first[Symbol.dispose]();
  expect(refusal(locks, { exclusive: ["snap-s"] })).toMatchObject({ id: "snap-s" });
  second[Symbol.dispose]();
  expect(refusal(locks, { exclusive: ["snap-s"] })).toBe("taken");
});

test("releasing twice frees nobody else's lock", () => {
  const locks = new Locks();
  const first = locks.take("staging", { exclusive: ["vol-a"] });
  first[Symbol.dispose]();
  using _ = locks.take("deletion", { exclusive: ["vol-a"] });
  first[Symbol.dispose]();
  expect(refusal(locks, { exclusive: ["vol-a"] })).toMatchObject({ operation: "deletion" });
});

import { expect, test } from "@jest/globals";
import { needsProbe, stagingPlan } from "../../../src/volumes/staging-plan.ts";

const states = ["none", "formatting", "formatted"] as const;
const probes = [undefined, "ext4", "xfs", "LVM2_member"] as const;

test("a volume is formatted only where nothing was ever written, or where our own mkfs did not end", () => {
  const formatted = states.flatMap((state) =>
    [true, false].flatMap((empty) =>
      probes
        .filter(
          (found) => stagingPlan({ type: "ext4", state }, { empty }, found === undefined ? undefined : { type: found, uuid: undefined }).kind === "format",
        )
        .map((found) => `${state} empty=${empty} probe=${found}`),
    ),
  );
  expect(formatted).toEqual([
    ...probes.map((found) => `none empty=true probe=${found}`),
    ...probes.map((found) => `formatting empty=true probe=${found}`),
    ...probes.map((found) => `formatting empty=false probe=${found}`),
  ]);
});

test("a filesystem that cannot be read is never formatted again: blkid's silence is no emptiness", () => {
  expect(stagingPlan({ type: "ext4", state: "formatted" }, { empty: false }, undefined)).toMatchObject({ kind: "refuse" });
  expect(stagingPlan({ type: "ext4", state: "formatted" }, { empty: true }, undefined)).toMatchObject({ kind: "refuse" });
});

test("only the filesystem that was made is mounted", () => {
  expect(stagingPlan({ type: "ext4", state: "formatted" }, { empty: false }, { type: "ext4", uuid: "u" })).toEqual({ kind: "use" });
  expect(stagingPlan({ type: "ext4", state: "formatted" }, { empty: false }, { type: "swap", uuid: "u" })).toMatchObject({ kind: "refuse", found: "swap" });
  expect(stagingPlan({ type: "ext4", state: "none" }, { empty: false }, { type: "ext4", uuid: "u" })).toMatchObject({ kind: "refuse", found: "ext4" });
});

test("blkid is started only where its answer matters", () => {
  expect(needsProbe({ type: "ext4", state: "none" }, { empty: true })).toBe(false);
  expect(needsProbe({ type: "ext4", state: "formatting" }, { empty: false })).toBe(false);
  expect(needsProbe({ type: "ext4", state: "none" }, { empty: false })).toBe(true);
  expect(needsProbe({ type: "ext4", state: "formatted" }, { empty: true })).toBe(true);
});

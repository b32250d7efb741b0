import { describe, expect, test } from "@jest/globals";
import { parsePoolStatus, parseThinStatus } from "../../../src/devicemapper/thin-status.ts";
import { recordedStatus } from "./fixtures.ts";

describe("a pool's status", () => {
  test("with a metadata snapshot, failing when full", () => {
    expect(parsePoolStatus(recordedStatus("heldRoot"))).toEqual({
      mode: "rw",
      transactionId: 0,
      metadata: { used: 113, total: 1024 },
      data: { used: 0, total: 256 },
      heldMetadataRoot: 18,
      discardPassdown: true,
      queueIfNoSpace: false,
      needsCheck: false,
      metadataLowWaterMark: 256,
    });
  });

  test("read only, queueing when full, without a metadata snapshot", () => {
    expect(parsePoolStatus(recordedStatus("readOnly"))).toMatchObject({ mode: "ro", heldMetadataRoot: undefined, queueIfNoSpace: true, needsCheck: false });
  });

  test("full", () => {
    expect(parsePoolStatus(recordedStatus("outOfDataSpace"))).toMatchObject({ mode: "out_of_data_space", data: { used: 256, total: 256 } });
  });

  test("whose metadata could not be written: nobody may take it for a healthy one", () => {
    expect(parsePoolStatus(recordedStatus("needsCheck"))).toMatchObject({ mode: "ro", needsCheck: true });
  });

  test("whose metadata is gone", () => {
    expect(parsePoolStatus(recordedStatus("failed"))).toEqual({ mode: "Fail" });
    expect(parsePoolStatus("Error")).toEqual({ mode: "Error" });
  });

  test.each([
    ["discard_passdown", true],
    ["no_discard_passdown", false],
    ["ignore_discard", false],
  ])("%s", (word, expected) => {
    expect(parsePoolStatus(`0 1/2 3/4 - rw ${word} queue_if_no_space - 1`)).toMatchObject({ discardPassdown: expected });
  });

  test("with words that only a newer kernel says", () => {
    expect(parsePoolStatus(`${recordedStatus("heldRoot")} from_tomorrow 77`)).toEqual(parsePoolStatus(recordedStatus("heldRoot")));
  });

  test("of a kernel before 4.20, and of one before 3.18", () => {
    expect(parsePoolStatus("7 1/2 3/4 - rw discard_passdown queue_if_no_space needs_check")).toMatchObject({
      needsCheck: true,
      metadataLowWaterMark: undefined,
    });
    expect(parsePoolStatus("7 1/2 3/4 - rw")).toMatchObject({ transactionId: 7, discardPassdown: true, queueIfNoSpace: true, needsCheck: false });
  });

  test.each(["", "0", "0 1/2 3/4 -", "0 1/2 3/4 - upside_down", "x 1/2 3/4 - rw", "0 1 3/4 - rw", "0 1/2 3/99999999999999999 - rw"])(
    "%p is no status: it is refused rather than guessed at",
    (text) => {
      expect(() => parsePoolStatus(text)).toThrow("cannot be read");
    },
  );
});

describe("a thin device's status", () => {
  test("nothing mapped, which alone allows to format it", () => {
    expect(parseThinStatus(recordedStatus("thinEmpty"))).toEqual({ mode: "active", mappedSectors: 0, highestMappedSector: undefined });
  });

  test("mapped", () => {
    expect(parseThinStatus(recordedStatus("thinMapped"))).toEqual({ mode: "active", mappedSectors: 2048, highestMappedSector: 2047 });
  });

  test("of a failed pool: not empty, but unknown", () => {
    expect(parseThinStatus(recordedStatus("thinFailed"))).toEqual({ mode: "Fail" });
    expect(parseThinStatus("Error")).toEqual({ mode: "Error" });
    expect(parseThinStatus("-")).toEqual({ mode: "Error" });
  });

  test.each(["", "0", "x -", "0 x"])("%p is no status", (text) => {
    expect(() => parseThinStatus(text)).toThrow("cannot be read");
  });
});

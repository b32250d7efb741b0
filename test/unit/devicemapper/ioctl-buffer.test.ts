import { Buffer } from "node:buffer";
import { describe, expect, test } from "@jest/globals";
import {
  decodeInfo,
  decodeInterfaceVersion,
  decodeMessageAnswer,
  decodeNames,
  decodeTargets,
  decodeTargetVersions,
  encodeMessage,
  encodeRequest,
  encodeTargets,
  isBufferFull,
} from "../../../src/devicemapper/ioctl-buffer.ts";
import { COMMAND, HEADER_SIZE, requestNumber } from "../../../src/devicemapper/ioctl-commands.ts";
import { sectors } from "../../../src/units.ts";
import { recordedBuffer } from "./fixtures.ts";

describe("what the kernel is asked", () => {
  test("a command's number is the one of the kernel's header, or another command would be carried out", () => {
    // DM_DEV_SUSPEND and DM_DEV_ARM_POLL as a C compiler has them.
    expect(requestNumber(COMMAND.suspend)).toBe(0xc138fd06);
    expect(requestNumber(COMMAND.armPoll)).toBe(0xc138fd10);
  });

  test("a request names its device by uuid alone, and says how much room there is", () => {
    const buffer = Buffer.alloc(HEADER_SIZE + 100, 0xff);
    encodeRequest(buffer, { uuid: "DMTHIN-x-vol", flags: 2 });
    expect(buffer.readUInt32LE(0)).toBe(4);
    expect(buffer.readUInt32LE(12)).toBe(HEADER_SIZE + 100);
    expect(buffer.readUInt32LE(16)).toBe(HEADER_SIZE);
    expect(buffer.readUInt32LE(28)).toBe(2);
    expect(buffer.subarray(48, 176).every((byte) => byte === 0)).toBe(true);
    expect(buffer.toString("latin1", 176, 189)).toBe("DMTHIN-x-vol\0");
  });

  test("nothing of the request before is left in a buffer that is used again", () => {
    const [used, fresh] = [Buffer.alloc(HEADER_SIZE), Buffer.alloc(HEADER_SIZE)];
    encodeRequest(used, { name: "a-long-name-of-a-device", uuid: "a-long-uuid-of-a-device", flags: 1 << 17, targetCount: 3 });
    encodeRequest(used, { uuid: "short" });
    encodeRequest(fresh, { uuid: "short" });
    expect(used).toEqual(fresh);
  });

  test("targets are laid out as a load takes them: each says where the next one is, at a multiple of 8", () => {
    const encoded = encodeTargets([
      { start: sectors(0), length: sectors(8), type: "linear", parameters: "7:0 0" },
      { start: sectors(8), length: sectors(2 ** 40), type: "error", parameters: "" },
    ]);
    expect(encoded.readUInt32LE(20)).toBe(48);
    expect(encoded.toString("latin1", 24, 31)).toBe("linear\0");
    expect(encoded.toString("latin1", 40, 46)).toBe("7:0 0\0");
    expect(encoded.readBigUInt64LE(48)).toBe(8n);
    expect(encoded.readBigUInt64LE(56)).toBe(2n ** 40n);
    expect(encoded.length).toBe(96);
  });

  test("a message is for sector 0, and ends", () => {
    expect(encodeMessage("delete 5")).toEqual(Buffer.from("\0\0\0\0\0\0\0\0delete 5\0"));
  });

  test.each([
    ["a name of 128 bytes", () => encodeRequest(Buffer.alloc(HEADER_SIZE), { name: "n".repeat(128) })],
    ["a uuid of 129 bytes", () => encodeRequest(Buffer.alloc(HEADER_SIZE), { uuid: "u".repeat(129) })],
    ["a message cut short by a NUL", () => encodeMessage("delete 5\0 6")],
    ["a target type of 16 bytes", () => encodeTargets([{ start: sectors(0), length: sectors(1), type: "t".repeat(16), parameters: "" }])],
  ])("%s is refused: cut off, it would name something else", (_, encode) => {
    expect(encode).toThrow(RangeError);
  });

  test("the longest name and uuid are taken", () => {
    const buffer = Buffer.alloc(HEADER_SIZE);
    encodeRequest(buffer, { name: "n".repeat(127), uuid: "u".repeat(128) });
    expect(decodeInfo(buffer)).toMatchObject({ name: "n".repeat(127), uuid: "u".repeat(128) });
  });
});

describe("what the kernel answers", () => {
  test("info", () => {
    expect(decodeInfo(recordedBuffer("info"))).toEqual({
      major: 254,
      minor: 1,
      name: expect.stringMatching(/^dmthin-test\d+-thin1$/),
      uuid: expect.stringMatching(/^DMTHIN-test\d+-thin1$/),
      suspended: false,
      readOnly: false,
      hasActiveTable: true,
      hasInactiveTable: false,
      deferredRemove: false,
      openCount: 0,
      eventNumber: 0,
    });
  });

  test("minors above 255, which a node with many volumes has", () => {
    const buffer = recordedBuffer("info");
    // 254:70001 in the kernel's encoding: the low 8 bits of the minor, the major, the rest of the minor.
    buffer.writeUInt32LE((70001 & 0xff) | (254 << 8) | ((70001 & ~0xff) << 12), 40);
    expect(decodeInfo(buffer)).toMatchObject({ major: 254, minor: 70001 });
    buffer.writeUInt32LE(0xffffffff, 40);
    expect(decodeInfo(buffer)).toMatchObject({ major: 4095, minor: 1048575 });
  });

  test("a list has the uuid of each device, and none for a device without", () => {
    const devices = decodeNames(recordedBuffer("list", 64)).toSorted((left, right) => left.minor - right.minor);
    expect(devices).toEqual([
      { major: 254, minor: 0, name: expect.stringMatching(/-pool$/), uuid: expect.stringMatching(/^DMTHIN-test\d+-pool$/) },
      { major: 254, minor: 1, name: expect.stringMatching(/-thin1$/), uuid: expect.stringMatching(/^DMTHIN-test\d+-thin1$/) },
      { major: 254, minor: 2, name: "no-uuid", uuid: "" },
      { major: 254, minor: 3, name: expect.stringMatching(/-two$/), uuid: expect.stringMatching(/^DMTHIN-test\d+-two$/) },
    ]);
  });

  test("a machine without devices has an empty list", () => {
    expect(decodeNames(recordedBuffer("emptyList", 64))).toEqual([]);
  });

  test.each(["listTooSmall", "poolTableTooSmall"])("%s says that it is not all: a part of the devices must never pass for all", (name) => {
    expect(isBufferFull(recordedBuffer(name))).toBe(true);
  });

  test.each(["list", "poolTable", "poolStatus"])("%s fits", (name) => {
    expect(isBufferFull(recordedBuffer(name))).toBe(false);
  });

  test("versions", () => {
    const buffer = recordedBuffer("versions", 64);
    expect(decodeInterfaceVersion(buffer)).toBe("4.50.0");
    const targets = decodeTargetVersions(buffer);
    expect(targets.get("thin-pool")).toBe("1.24.0");
    expect([...targets.keys()]).toEqual(expect.arrayContaining(["thin", "linear", "error"]));
  });

  test("a table is what was loaded, without the blank that the kernel puts behind some", () => {
    const [pool, ...more] = decodeTargets(recordedBuffer("poolTable", 64));
    expect(pool).toEqual({
      start: 0,
      length: 32768,
      type: "thin-pool",
      text: expect.stringMatching(/^7:\d+ 7:\d+ 128 3 2 skip_block_zeroing error_if_no_space$/),
    });
    expect(more).toEqual([]);
  });

  test("a table of two targets", () => {
    expect(decodeTargets(recordedBuffer("twoTargets", 64))).toEqual([
      { start: 0, length: 8192, type: "linear", text: expect.stringMatching(/^7:\d+ 0$/) },
      { start: 8192, length: 8192, type: "error", text: "" },
    ]);
  });

  test("a message's answer, and none", () => {
    expect(decodeMessageAnswer(recordedBuffer("message", 64))).toMatch(/^\d+$/);
    expect(decodeMessageAnswer(recordedBuffer("messageWithoutAnswer", 64))).toBe("");
  });
});

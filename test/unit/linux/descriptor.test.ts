import { execFileSync } from "node:child_process";
import { readSync, writeSync } from "node:fs";
import { Buffer } from "node:buffer";
import { expect, test } from "@jest/globals";
import { closeDescriptor, openDescriptor, openPipe, setCloseOnExec } from "../../../src/linux/descriptor.ts";
import { errnoName } from "../../../src/linux/libc.ts";
import { pollReadable, untilReadable } from "../../../src/linux/poll.ts";

const childSees = (fd: number): boolean => execFileSync("ls", ["/proc/self/fd"], { encoding: "utf8" }).split("\n").includes(String(fd));

test("a child sees a descriptor only when it was told to go along", () => {
  const { readFd, writeFd } = openPipe();
  // Far above what ls itself opens.
  const high = Array.from({ length: 40 }, () => openDescriptor("/dev/null", "read"));
  const fd = high.at(-1) ?? -1;
  expect(childSees(fd)).toBe(false);
  setCloseOnExec(fd, false);
  expect(childSees(fd)).toBe(true);
  setCloseOnExec(fd, true);
  expect(childSees(fd)).toBe(false);
  for (const open of [...high, readFd, writeFd]) closeDescriptor(open);
});

test("poll answers who has something to read, or was hung up on", async () => {
  const [first, second] = [openPipe(), openPipe()];
  const both = [first.readFd, second.readFd];
  expect(pollReadable(both, 0)).toEqual(new Set());
  expect(await untilReadable(both, 10)).toEqual(new Set());
  const told = untilReadable(both, 10_000); // beside us, who go on
  writeSync(second.writeFd, "x");
  expect(await told).toEqual(new Set([second.readFd]));
  expect(pollReadable(both, 1000)).toEqual(new Set([second.readFd]));
  readSync(second.readFd, Buffer.alloc(1));
  closeDescriptor(first.writeFd);
  expect(pollReadable(both, 1000)).toEqual(new Set([first.readFd]));
  for (const fd of [first.readFd, second.readFd, second.writeFd]) closeDescriptor(fd);
});

test("a failure says what was done to what, and the errno's name", () => {
  expect(() => openDescriptor("/no/such/file", "read")).toThrow("the kernel refused open of /no/such/file: ENOENT");
  expect(() => setCloseOnExec(999999, true)).toThrow("EBADF");
});

test.each([
  [16, "EBUSY"],
  [6, "ENXIO"],
  [61, "ENODATA"],
  [117, "EUCLEAN"],
  [11, "EAGAIN"],
  [35, "EDEADLK"],
  [95, "EOPNOTSUPP"],
  [524, "errno 524"],
])("errno %d is %s", (number, name) => {
  expect(errnoName(number)).toBe(name);
});

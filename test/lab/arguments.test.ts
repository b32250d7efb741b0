import { expect, test } from "@jest/globals";
import { parseLabArguments } from "./arguments.ts";

test("options end where the command begins, so that the command keeps its own", () => {
  const parsed = parseLabArguments(["--disk", "8G", "--udev", "--disk=1G", "ls", "--help", "--disk"]);
  expect(parsed).toEqual({ disks: ["8G", "1G"], memory: "2G", udev: true, native: false, help: false, command: ["ls", "--help", "--disk"] });
});

test("a command that begins with a dash follows two", () => {
  expect(parseLabArguments(["--memory", "1G", "--", "-x"])).toMatchObject({ memory: "1G", command: ["-x"] });
});

test("without a command a shell is meant", () => {
  expect(parseLabArguments(["--disk", "1G"]).command).toEqual(["bash"]);
});

test("a wrong size or an unknown option is refused before anything is booted", () => {
  expect(() => parseLabArguments(["--disk", "8 gigs", "ls"])).toThrow('"8 gigs" is not a size such as 512M or 8G');
  expect(() => parseLabArguments(["--disks", "8G", "ls"])).toThrow("--disks");
});

import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { openPipe } from "../../../src/linux/descriptor.ts";
import { DeadManHandle } from "../../../src/pool/dead-man.ts";
import { eventually } from "../../harness/eventually.ts";

/** What the handle has been told so far; "closed" when nobody can tell it anything any more. */
function heard(fd: number): string {
  const buffer = Buffer.alloc(4096);
  try {
    const length = readSync(fd, buffer);
    return length === 0 ? "closed" : buffer.toString("utf8", 0, length);
  } catch (error) {
    if ((error as { readonly code?: string }).code === "EAGAIN") return "open"; // not an Error of this realm
    throw error;
  }
}

test("what was armed twice stays armed until it was disarmed as often, as the handle counts it: so long the pipe is not closed", async () => {
  const { readFd, writeFd } = openPipe();
  const listener = openSync(`/proc/self/fd/${readFd}`, constants.O_RDONLY | constants.O_NONBLOCK);
  closeSync(readFd);
  const deadMan = await DeadManHandle.start({ inheritedFd: writeFd });
  closeSync(writeFd);
  deadMan.arm(["A", "B"]);
  deadMan.arm(["A"]);
  deadMan.disarm(["B", "A"]);
  expect(heard(listener)).toBe("arm A\narm B\narm A\ndisarm B\ndisarm A\n");
  deadMan.close();
  expect(heard(listener)).toBe("open");
  deadMan.disarm(["A", "nobody"]);
  expect(heard(listener)).toBe("disarm A\ndisarm nobody\n");
  deadMan.close();
  expect(heard(listener)).toBe("closed");
  closeSync(listener);
});

test("why no other handle can be had when one has ended is the cause of what the next arm is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dmthin-dead-man-"));
  const fifo = join(folder, "fifo"); // as the image's: without a reader it is not opened again
  execFileSync("mkfifo", [fifo]);
  const listener = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const inheritedFd = openSync(fifo, constants.O_WRONLY);
  const deadMan = await DeadManHandle.start({ inheritedFd });
  closeSync(listener);
  expect(() => deadMan.arm(["A"])).toThrow("EPIPE");
  const cause: unknown = expect.objectContaining({ code: "ENXIO" });
  await eventually(() => expect(() => deadMan.arm(["A"])).toThrow(expect.objectContaining({ cause })));
  closeSync(inheritedFd);
  rmSync(folder, { recursive: true });
});

import { expect, test } from "@jest/globals";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { checkout } from "./checkout.ts";
import { Disk } from "./disk.ts";
import { startGuest } from "./start.ts";
import { userland } from "./userland.ts";

/** A guest boots in two seconds; on a busy machine it has taken thirty. Beyond this it hangs. */
const PATIENCE_MS = 180_000;

const shell = (script: string) => ({ command: ["sh", "-c", script] });

const count = (to: number) => Array.from({ length: to }, (_, index) => `${index + 1}\n`).join("");

async function outputOf(script: string, disks: readonly Disk[] = []): Promise<string> {
  await using guest = await startGuest({ ...shell(script), disks });
  const code = await guest.exit;
  if (code !== 0) throw new Error(`exit code ${code}: ${guest.output}\n${guest.kernelLog}`);
  return guest.output;
}

test(
  "the command's exit code comes back, and its arguments arrive as they were given",
  async () => {
    const words = ["it's", 'a "quoted" $HOME', "", "two\nlines", "ümlaut"];
    await using guest = await startGuest({ command: ["sh", "-c", 'printf "[%s]" "$@"; exit 42', "sh", ...words] });
    expect(await guest.exit).toBe(42);
    expect(guest.output).toBe(words.map((word) => `[${word}]`).join(""));
  },
  PATIENCE_MS,
);

test(
  "a megabyte of output comes back byte for byte, and stderr apart from stdout",
  async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const whole = [text(stdout), text(stderr)];
    await using guest = await startGuest({ ...shell("seq 170000; seq 5 >&2; printf 'no newline'"), streams: { stdout, stderr } });
    await guest.exit;
    stdout.end();
    stderr.end();
    expect((await whole[0]) === `${count(170_000)}no newline`).toBe(true);
    expect(await whole[1]).toBe(count(5));
  },
  PATIENCE_MS,
);

test(
  "a process that the command leaves behind does not keep the guest up",
  async () => {
    expect(await outputOf("sleep 1000 & echo done")).toBe("done\n");
  },
  PATIENCE_MS,
);

test(
  "a command that is not heard of is given up, and what its processes wait for is told",
  async () => {
    // fsfreeze: the second one waits in the kernel, where no signal reaches it.
    const stuck = "mkdir /tmp/m; truncate -s 64M /tmp/i; mkfs.ext4 -q /tmp/i; mount -o loop /tmp/i /tmp/m; fsfreeze -f /tmp/m; echo x > /tmp/m/x";
    await using guest = await startGuest({ ...shell(stuck), silenceSeconds: 5 });
    expect(await guest.exit).toBe(124);
    expect(guest.output).toMatch(/no test has ended for 5 s.*process \d+:\n.*mnt_want_write/s);
  },
  PATIENCE_MS,
);

test(
  "the guest has a kernel with thin pools, the project's Node, and the checkout at its own path",
  async () => {
    const output = await outputOf("dmsetup targets; node --version; pwd; ls package.json /dev/loop-control; echo $LAB_KERNEL");
    expect(output).toContain("thin-pool ");
    expect(output).toContain(`\n${process.version}\n${checkout}\n`);
    expect(output).toContain("\nreal\n");
  },
  PATIENCE_MS,
);

test(
  "scratch disks keep their content over a power cut and the next boot",
  async () => {
    using disk = await Disk.create("64M");
    using other = await Disk.create("1M");
    const write = "echo kept | dd of=/dev/ubdb bs=512 seek=1000 conv=sync,fsync status=none; echo written; sleep 1000";
    const cut = await startGuest({ ...shell(write), disks: [disk, other] });
    await cut.said("written");
    await cut.kill();
    expect(await cut.exit).toBe(137);
    const read = "echo $LAB_DISKS; blockdev --getsize64 /dev/ubdb /dev/ubdc; dd if=/dev/ubdb bs=512 skip=1000 count=1 status=none | head -1";
    expect(await outputOf(read, [disk, other])).toBe(`/dev/ubdb /dev/ubdc\n${64 * 2 ** 20}\n${2 ** 20}\nkept\n`);
  },
  PATIENCE_MS,
);

test(
  "two guests at once have disks and files of their own",
  async () => {
    using disks = new DisposableStack();
    const outputs = ["one", "two"].map(async (name) => {
      const script = `echo ${name} | tee /etc/whoami > /dev/ubdb; sleep 1; cat /etc/whoami; head -1 /dev/ubdb`;
      return outputOf(script, [disks.use(await Disk.create("16M"))]);
    });
    expect(await Promise.all(outputs)).toEqual(["one\none\n", "two\ntwo\n"]);
  },
  PATIENCE_MS,
);

test(
  "what a guest writes to its root is gone with it, and the cached tree is as it was",
  async () => {
    const tree = await userland();
    const before = await Promise.all(["etc", "usr/bin", "var/lib"].map(async (name) => (await readdir(join(tree, name))).join()));
    const { mtimeMs } = await stat(join(tree, "etc/passwd"));
    await outputOf("echo x >> /etc/passwd; touch /etc/new /var/lib/new; rm /usr/bin/lsblk; mkdir /usr/new");
    expect(await Promise.all(["etc", "usr/bin", "var/lib"].map(async (name) => (await readdir(join(tree, name))).join()))).toEqual(before);
    expect((await stat(join(tree, "etc/passwd"))).mtimeMs).toBe(mtimeMs);
    expect(await outputOf("ls /etc/new /usr/new 2>/dev/null; which lsblk; grep -c '^x' /etc/passwd || true")).toBe("/usr/bin/lsblk\n0\n");
  },
  PATIENCE_MS,
);

test(
  "with udevd in the guest LVM waits for it, as on a user's host",
  async () => {
    using disk = await Disk.create("256M");
    const script =
      "vgcreate -q v /dev/ubdb && lvcreate -q -n x -L 16M v && ls -l /dev/v/x | cut -c1; pgrep -c systemd-udevd; udevadm info -q property /dev/v/x | grep ^DM_NAME";
    await using guest = await startGuest({ ...shell(script), disks: [disk], udev: true });
    expect(await guest.exit).toBe(0);
    expect(guest.output).toMatch(/\nl\n[1-9]\d*\nDM_NAME=v-x\n$/);
  },
  PATIENCE_MS,
);

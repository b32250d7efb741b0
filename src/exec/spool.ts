import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A file without a name that a program writes to. Unlike a pipe it does not end its writer with SIGPIPE, nor hold it up,
 * when the driver dies.
 */
export class Spool implements AsyncDisposable {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(): Promise<Spool> {
    const name = `dmthin-${randomUUID()}`;
    const file = await makeAndUnlink(join(tmpdir(), name)).catch(async () => makeAndUnlink(join("/dev/shm", name)));
    return new Spool(file);
  }

  get fd(): number {
    return this.#file.fd;
  }

  /** Everything written so far. */
  async text(): Promise<string> {
    const { size } = await this.#file.stat();
    // By position: the place where the program writes is shared with us.
    const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(size), 0, size, 0);
    return buffer.toString("utf8", 0, bytesRead);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

async function makeAndUnlink(path: string): Promise<FileHandle> {
  const file = await open(path, "wx+", 0o600);
  await unlink(path);
  return file;
}

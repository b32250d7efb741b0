import { randomUUID } from "node:crypto";
import type { FilesystemType } from "../../src/filesystem/filesystems.ts";
import type { BlockDevice } from "./disk.ts";
import { PAGE_BYTES } from "./pages.ts";

/** What a simulated filesystem has in the first block of its device. */
export interface ImageHeader {
  readonly type: FilesystemType;
  readonly uuid: string;
  /** `half`: its mkfs did not end. */
  readonly state: "half" | "made";
  /** In use, or left so by a power cut: its journal wants replaying. */
  readonly dirty: boolean;
  readonly sizeBytes: number;
}

export interface Extent {
  readonly offset: number;
  readonly length: number;
}

const MAGIC = "simulated filesystem ";
const TABLE_AT = PAGE_BYTES;
/** Files begin here; the table of files ends here. */
export const FILES_AT = 64 * 1024;

function writeText(device: BlockDevice, offset: number, room: number, text: string): void {
  const block = Buffer.alloc(Math.ceil((Buffer.byteLength(text) + 1) / PAGE_BYTES) * PAGE_BYTES);
  if (block.length > room) throw new Error("more files than a simulated filesystem has room for");
  block.write(text);
  device.write(offset, block);
}

function readText(device: BlockDevice, offset: number, length: number): string {
  const block = device.read(offset, length);
  const end = block.indexOf(0);
  return block.toString("utf8", 0, end === -1 ? length : end);
}

export function writeHeader(device: BlockDevice, header: ImageHeader): void {
  writeText(device, 0, PAGE_BYTES, `${MAGIC}${JSON.stringify(header)}`);
}

/** undefined: no simulated filesystem. */
export function readHeader(device: BlockDevice): ImageHeader | undefined {
  if (device.sizeBytes < FILES_AT) return undefined;
  const text = readText(device, 0, PAGE_BYTES);
  return text.startsWith(MAGIC) ? (JSON.parse(text.slice(MAGIC.length)) as ImageHeader) : undefined;
}

export function writeTable(device: BlockDevice, files: ReadonlyMap<string, Extent>): void {
  writeText(device, TABLE_AT, FILES_AT - TABLE_AT, JSON.stringify([...files]));
}

export function readTable(device: BlockDevice): Map<string, Extent> {
  return new Map(JSON.parse(readText(device, TABLE_AT, FILES_AT - TABLE_AT)) as [string, Extent][]);
}

/** Formats, over whatever is there. `half` stops where a killed mkfs would: recognisable, and of no use. */
export function makeImage(device: BlockDevice, type: FilesystemType, state: ImageHeader["state"]): void {
  device.write(0, Buffer.alloc(FILES_AT));
  writeHeader(device, { type, uuid: randomUUID(), state, dirty: false, sizeBytes: device.sizeBytes });
  if (state === "half") return;
  writeTable(device, new Map());
  device.flush();
}

/** What blkid would call it, besides filesystems. */
export function foreignSignature(device: BlockDevice): string | undefined {
  if (device.sizeBytes < PAGE_BYTES) return undefined;
  const block = device.read(0, PAGE_BYTES);
  if (block.toString("latin1", 512, 520) === "LABELONE") return "LVM2_member";
  if (block.toString("latin1", 4086, 4096) === "SWAPSPACE2") return "swap";
  return block.readUInt16LE(510) === 0xaa55 ? "partition table" : undefined;
}

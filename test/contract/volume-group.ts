import { mkdirSync } from "node:fs";
import { CONFIG, ENVIRONMENT } from "../../src/lvm/configuration.ts";
import { EXTENT_BYTES } from "../../src/pool/backings/lvm-layout.ts";
import { output } from "../harness/program.ts";

/** The administrator's own volume, not active. */
const REST = "rest";
const AS_IT_IS = ["--activate", "n", "--wipesignatures", "n", "--zero", "n", "--setautoactivation", "n"];
/** A metadata volume's spare grows with it. */
const EXTENTS_OF_METADATA = 2;

/** The volume group of a pool on a whole disk in the hands of an administrator, who keeps to himself what the pool is not to have. */
export class VolumeGroup {
  readonly #name: string;
  readonly #disk: string;

  constructor(name: string, disk: string) {
    this.#name = name;
    this.#disk = disk;
  }

  /** So many extents are free; the others that nobody has are the administrator's. */
  leaveFree(extents: number): void {
    const more = this.freeExtents() - extents;
    const rest = `${this.#name}/${REST}`;
    if (more < 0) this.#lvm("lvreduce", "--force", "--yes", "--fs", "ignore", "--extents", String(more), rest);
    else if (more > 0 && this.#hasRest()) this.#lvm("lvextend", "--extents", `+${more}`, rest);
    else if (more > 0) this.#lvm("lvcreate", "--yes", ...AS_IT_IS, "--name", REST, "--extents", String(more), this.#name);
  }

  freeExtents(): number {
    return Number(this.#lvm("vgs", "--noheadings", "--options", "vg_free_count", this.#name));
  }

  /** As LVM has it on record. */
  sizeBytes(volume: "pool" | "pool_tmeta"): number {
    return Number(this.#lvm("lvs", "--all", "--noheadings", "--nosuffix", "--units", "b", "--options", "lv_size", `${this.#name}/${volume}`));
  }

  /** Room for this size of a part, and for no more. */
  makeRoom(part: "data" | "metadata", sizeBytes: number): void {
    const lacking = Math.ceil((sizeBytes - this.sizeBytes(part === "data" ? "pool" : "pool_tmeta")) / EXTENT_BYTES);
    this.leaveFree(lacking * (part === "data" ? 1 : EXTENTS_OF_METADATA));
  }

  /** The pool's metadata could be larger by that. */
  makeRoomForMetadata(): void {
    this.leaveFree(EXTENTS_OF_METADATA);
  }

  /** The size of the pool's metadata with all that it can still have. */
  mostMetadataBytes(): number {
    return this.sizeBytes("pool_tmeta") + Math.floor(this.freeExtents() / EXTENTS_OF_METADATA) * EXTENT_BYTES;
  }

  /** With one of its volumes mounted, which no driver has in use. It is as active afterwards as before. */
  withMounted(volume: string, folder: string, work: () => void): void {
    const name = `${this.#name}/${volume}`;
    const wasActive = this.#lvm("lvs", "--noheadings", "--options", "lv_active", name).trim() === "active";
    if (!wasActive) this.#lvm("lvchange", "--yes", "--activate", "y", name);
    mkdirSync(folder, { recursive: true });
    output("mount", [`/dev/${name}`, folder]);
    try {
      work();
    } finally {
      output("umount", [folder]);
      if (!wasActive) this.#lvm("lvchange", "--activate", "n", name);
    }
  }

  #hasRest(): boolean {
    return this.#lvm("lvs", "--noheadings", "--options", "lv_name", this.#name).split(/\s+/).includes(REST);
  }

  #lvm(command: string, ...args: readonly string[]): string {
    return output("lvm", [command, "--devices", this.#disk, "--config", CONFIG, ...args], { env: { ...process.env, ...ENVIRONMENT } });
  }
}

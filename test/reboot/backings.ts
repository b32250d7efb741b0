import { join } from "node:path";
import { output as outputOf } from "../harness/program.ts";

export type BackingKind = "loop" | "devices" | "directLvm" | "existing";

export function output(...[program = "", ...args]: readonly string[]): string {
  return outputOf(program, args);
}

/** What stands in a node's configuration for a pool of this kind, on the guest's disks after the first. */
export function backingOf(kind: BackingKind, state: string): Readonly<Record<string, unknown>> {
  const [, large = "", small = ""] = (process.env["LAB_DISKS"] ?? "").split(" ");
  switch (kind) {
    case "loop":
      return { loop: { directory: join(state, "pool"), dataSize: "1Gi", metadataSize: "16Mi", hostReserve: "64Mi" } };
    case "devices":
      return { devices: { data: large, metadata: small } };
    case "directLvm":
      return { directLvm: { devices: [large] } };
    case "existing":
      return { existing: { pool: "admins-group/thin-pool" } };
  }
}

/** What an administrator does before the first start, and never again. */
export function prepare(kind: BackingKind): void {
  if (kind !== "existing") return;
  const [, large = ""] = (process.env["LAB_DISKS"] ?? "").split(" ");
  output("vgcreate", "--quiet", "admins-group", large);
  const pool = ["--type", "thin-pool", "--chunksize", "128k", "--size", "1G", "--poolmetadatasize", "16M", "--name", "thin-pool"];
  output("lvcreate", "--quiet", "--config", "activation/monitoring=0", ...pool, "admins-group");
}

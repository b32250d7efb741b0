import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceError } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { Connection, type Asked } from "../../../src/csi/client.ts";
import { createCsiServer } from "../../../src/csi/csi-server.ts";
import type { CsiOptions } from "../../../src/csi/options.ts";
import type { GrpcServer } from "../../../src/csi/server.ts";
import { silentLogger, type LogFields, type Logger } from "../../../src/logger.ts";
import { FakeVolumes } from "./fake-volumes.ts";

export const PLAIN: CsiOptions = { attach: undefined, alpha: false };

/** The services over volumes in memory, on a real socket, and a client of each. */
export class Served implements AsyncDisposable {
  readonly fake = new FakeVolumes();
  readonly socket: string;
  readonly server: GrpcServer;
  readonly identity: Asked<"csi.v1.Identity">;
  readonly controller: Asked<"csi.v1.Controller">;
  readonly groups: Asked<"csi.v1.GroupController">;
  readonly node: Asked<"csi.v1.Node">;
  readonly #connection: Connection;
  readonly #folder: string;

  private constructor(folder: string, options: CsiOptions, logger: Logger) {
    this.#folder = folder;
    this.socket = join(folder, "csi.sock");
    this.server = createCsiServer({ volumes: this.fake, nodeVolumes: this.fake, logger, version: "1.2.3", options });
    this.#connection = new Connection(this.socket);
    this.identity = this.#connection.service("csi.v1.Identity");
    this.controller = this.#connection.service("csi.v1.Controller");
    this.groups = this.#connection.service("csi.v1.GroupController");
    this.node = this.#connection.service("csi.v1.Node");
  }

  static async start(options: CsiOptions = PLAIN, logger: Logger = silentLogger): Promise<Served> {
    const served = new Served(await mkdtemp(join(tmpdir(), "dmthin-csi-")), options, logger);
    await served.server.listen(`unix://${served.socket}`);
    return served;
  }

  /** A path below this test's own folder. */
  path = (name: string): string => join(this.#folder, name);

  /** An ext4 volume's id. */
  async volume(name: string, size = 2 ** 30): Promise<string> {
    const { volume } = await this.controller.CreateVolume({ name, capacityRange: { requiredBytes: String(size) }, volumeCapabilities: [MOUNT] });
    return volume?.volumeId ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection[Symbol.dispose]();
    await this.server.close(AbortSignal.abort());
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export const MOUNT = { mount: { fsType: "ext4" }, accessMode: { mode: "SINGLE_NODE_WRITER" } } as const;
export const BLOCK = { block: {}, accessMode: { mode: "SINGLE_NODE_WRITER" } } as const;
export const SOME_VOLUME = `vol-${"a".repeat(26)}`;
export const SOME_SNAPSHOT = `snap-${"a".repeat(26)}`;
export const SOME_GROUP = `group-${"a".repeat(26)}`;

/** The refusal's code by name, and its sentence; "OK" when the call was answered. */
export const refusal = async (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "OK",
    (error: ServiceError) => `${status[error.code]}: ${error.details}`,
  );

/** What says itself how it is written, as a log would have it. */
const asWritten = (fields: LogFields): LogFields =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, isWritten(value) ? value.toJSON() : value]));
const isWritten = (value: unknown): value is { toJSON(): unknown } => typeof value === "object" && value !== null && "toJSON" in value;

/** Keeps every line: what would stand in the log. */
export function recordingLogger(): { readonly logger: Logger; readonly lines: readonly LogFields[] } {
  const lines: LogFields[] = [];
  const make = (bound: LogFields): Logger => {
    const write =
      (level: string) =>
      (message: string, fields: LogFields = {}) =>
        void lines.push({ level, message, ...bound, ...asWritten(fields) });
    return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error"), child: (fields) => make({ ...bound, ...fields }) };
  };
  return { logger: make({}), lines };
}

import { join } from "node:path";
import protobuf from "protobufjs";
import type { Tally } from "../harness/tally.ts";
import { checkout } from "../lab/checkout.ts";
import { run } from "../lab/command.ts";
import { parse } from "../unit/proto/generator.ts";
import { findGo } from "./go.ts";

const MODULE = "github.com/container-storage-interface/spec@v1.13.0";

/** What ours has beyond the published one: the legacy volume condition, whose numbers 1.13 reserved. */
const LEGACY: readonly string[] = [
  ".csi.v1.VolumeCondition.abnormal = 1: bool",
  ".csi.v1.VolumeCondition.message = 2: string",
  ".csi.v1.ListVolumesResponse.VolumeStatus.volume_condition = 2: .csi.v1.VolumeCondition",
  ".csi.v1.ControllerGetVolumeResponse.VolumeStatus.volume_condition = 2: .csi.v1.VolumeCondition",
  ".csi.v1.NodeGetVolumeStatsResponse.volume_condition = 2: .csi.v1.VolumeCondition",
  ".csi.v1.ControllerServiceCapability.RPC.Type.VOLUME_CONDITION = 11",
  ".csi.v1.NodeServiceCapability.RPC.Type.VOLUME_CONDITION = 4",
];

/** Holds proto/csi.proto against the one that the specification's Go module publishes. */
export async function publishedInterface(): Promise<Tally> {
  const go = await findGo();
  const { Dir: folder } = JSON.parse(await run(go(["mod", "download", "-json", MODULE]), { cwd: "/" })) as { readonly Dir: string };
  const differences = compare(join(checkout, "proto/csi.proto"), join(folder, "csi.proto"));
  for (const difference of differences) process.stdout.write(`  ${difference}\n`);
  return { passed: differences.length === 0 ? 1 : 0, failed: differences.length === 0 ? 0 : 1, skipped: 0 };
}

/** In sentences; none when ours is the published interface and the legacy condition, no more and no less. */
export function compare(ours: string, published: string): readonly string[] {
  const [mine, theirs] = [new Set(elements(parse(ours, true))), new Set([...elements(parse(published, true)), ...LEGACY])];
  return [
    ...[...theirs].filter((element) => !mine.has(element)).map((element) => `missing: ${element}`),
    ...[...mine].filter((element) => !theirs.has(element)).map((element) => `not in the published interface: ${element}`),
  ];
}

/** Every field, enum value, call and extension with its number, type and the protocol's own options. */
function elements(item: protobuf.ReflectionObject): readonly string[] {
  if (item.fullName.startsWith(".google.protobuf")) return [];
  if (item instanceof protobuf.Enum)
    return Object.entries(item.values).map(([name, value]) => `${item.fullName}.${name} = ${value}${marks(item.valuesOptions?.[name])}`);
  if (item instanceof protobuf.Field) return [`${item.fullName} = ${item.id}: ${fieldType(item)}${marks(item.options)}`];
  if (item instanceof protobuf.Method) return [callOf(item)];
  const own = item instanceof protobuf.Type || item instanceof protobuf.Service ? marks(item.options) : "";
  return [...(own === "" ? [] : [`${item.fullName}${own}`]), ...childrenOf(item).flatMap(elements)];
}

function childrenOf(item: protobuf.ReflectionObject): readonly protobuf.ReflectionObject[] {
  if (!(item instanceof protobuf.Namespace)) return [];
  const own = item instanceof protobuf.Type ? item.fieldsArray : item instanceof protobuf.Service ? item.methodsArray : [];
  return [...own, ...item.nestedArray];
}

function fieldType(field: protobuf.Field): string {
  const type = field.resolvedType?.fullName ?? field.type;
  const single = field instanceof protobuf.MapField ? `map<${field.keyType}, ${type}>` : field.repeated ? `repeated ${type}` : type;
  return `${single}${field.partOf === null ? "" : ` of ${field.partOf.name}`}${field.extend === undefined ? "" : ` extends ${field.extend}`}`;
}

const stream = (is: boolean | undefined): string => (is === true ? "stream " : "");

const callOf = (method: protobuf.Method): string => {
  const { resolvedRequestType: request, resolvedResponseType: response } = method;
  return `${method.fullName}(${stream(method.requestStream)}${request?.fullName}) ${stream(method.responseStream)}${response?.fullName}${marks(method.options)}`;
};

/** Options of the protocol's own: "[(csi_secret) = true]". */
function marks(options: Readonly<Record<string, unknown>> | undefined): string {
  const own = Object.entries(options ?? {}).filter(([name]) => name.startsWith("("));
  return own.length === 0 ? "" : ` [${own.map(([name, value]) => `${name} = ${String(value)}`).join(", ")}]`;
}

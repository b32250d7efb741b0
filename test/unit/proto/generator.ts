import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import descriptor from "protobufjs/google/protobuf/descriptor.json" with { type: "json" };

const checkout = fileURLToPath(new URL("../../..", import.meta.url));
export const GENERATED = join(checkout, "src/csi/generated");
export const PROTOCOLS = { csi: "csi.v1", admin: "dmthin.admin.v1", pluginregistration: "pluginregistration" } as const;

/** What the .proto files import and the program needs. */
const WELL_KNOWN = ["Timestamp", "BoolValue", "Int64Value"];
/** As proto-loader decodes with longs and enums as strings. */
const SCALARS: Readonly<Record<string, string>> = {
  string: "string",
  bool: "boolean",
  int32: "number",
  uint32: "number",
  double: "number",
  int64: "string",
  uint64: "string",
};

/** A .proto file, parsed; fields keep their snake_case when asked. */
export function parse(file: string, keepCase = false): protobuf.Root {
  protobuf.common("descriptor", descriptor.nested.google.nested.protobuf.nested);
  const root = new protobuf.Root().loadSync(file, { keepCase });
  root.resolveAll();
  return root;
}

/** Writes, for each protocol, its descriptor (NAME.json, what proto-loader starts from) and its types (NAME.ts). */
export async function generate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, scope] of Object.entries(PROTOCOLS)) {
    const root = parse(join(checkout, `proto/${name}.proto`));
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(descriptorOf(root), undefined, 1)}\n`);
    await writeFile(join(folder, `${name}.ts`), typesOf(root.lookup(scope) as protobuf.Namespace, name));
  }
}

/** Options stay, by which secrets are known; their declarations and what else descriptor.proto brings do not. */
function descriptorOf(root: protobuf.Root): unknown {
  const { google, ...packages } = root.toJSON().nested ?? {};
  return { nested: { ...(JSON.parse(JSON.stringify(packages, withoutExtensions)) as object), ...wellKnown(google) } };
}

const withoutExtensions = (_key: string, value: unknown): unknown => (typeof value === "object" && value !== null && "extend" in value ? undefined : value);

function wellKnown(google: protobuf.AnyNestedObject | undefined): object {
  const known = (google as { readonly nested?: { readonly protobuf?: protobuf.INamespace } } | undefined)?.nested?.protobuf;
  if (known === undefined) return {};
  return { google: { nested: { protobuf: { nested: Object.fromEntries(WELL_KNOWN.map((name) => [name, known.nested?.[name]])) } } } };
}

function typesOf(scope: protobuf.Namespace, name: string): string {
  const blocks = [
    `// Made from proto/${name}.proto by "npm run generate". A message that is absent is null, one of a oneof is not there;\n// 64-bit numbers are decimal strings.\nimport type { Method } from "../method.ts";`,
    ...(scope.fullName === ".csi.v1" ? WELL_KNOWN.map((known) => messageType(scope.lookupType(`google.protobuf.${known}`))) : []),
    ...scope.nestedArray.flatMap(typeBlocks),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function typeBlocks(item: protobuf.ReflectionObject): string[] {
  if (item instanceof protobuf.Service) return serviceType(item);
  if (item instanceof protobuf.Enum)
    return [
      `export type ${typeName(item)} = ${Object.keys(item.values)
        .map((value) => `"${value}"`)
        .join(" | ")};`,
    ];
  if (item instanceof protobuf.Type) return [messageType(item), ...item.nestedArray.flatMap(typeBlocks)];
  return [];
}

function messageType(message: protobuf.Type): string {
  if (message.fieldsArray.length === 0) return `export type ${typeName(message)} = Readonly<Record<never, never>>;`;
  return [`export interface ${typeName(message)} {`, ...message.fieldsArray.map(fieldType), "}"].join("\n");
}

function fieldType(field: protobuf.Field): string {
  const single = field.resolvedType === null ? SCALARS[field.type] : typeName(field.resolvedType);
  if (single === undefined) throw new Error(`${field.fullName}: no type for ${field.type}`);
  if (field instanceof protobuf.MapField) return `  readonly ${field.name}: Readonly<Record<string, ${single}>>;`;
  if (field.repeated) return `  readonly ${field.name}: readonly ${single}[];`;
  const nullable = field.resolvedType instanceof protobuf.Type ? " | null" : "";
  return `  readonly ${field.name}${field.partOf === null ? "" : "?"}: ${single}${nullable};`;
}

/** Streams are left out: none is served. */
function serviceType(service: protobuf.Service): string[] {
  const methods = service.methodsArray.filter(({ responseStream, requestStream }) => responseStream !== true && requestStream !== true);
  if (methods.length === 0) return [];
  const lines = methods.map((method) => {
    const [request, response] = [method.resolvedRequestType, method.resolvedResponseType];
    if (request === null || response === null) throw new Error(`${method.fullName} is not resolved`);
    return `  readonly ${method.name}: Method<${typeName(request)}, ${typeName(response)}>;`;
  });
  return [[`export interface ${service.name}Service {`, ...lines, "}"].join("\n")];
}

/** ListVolumesResponse.Entry is ListVolumesResponse_Entry. */
function typeName(item: protobuf.ReflectionObject): string {
  const parent = item.parent;
  return parent instanceof protobuf.Type ? `${typeName(parent)}_${item.name}` : item.name;
}

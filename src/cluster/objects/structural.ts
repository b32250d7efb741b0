import * as z from "zod";

/** A CustomResourceDefinition's schema: what the API server takes of OpenAPI 3, with Kubernetes' own keys. */
export interface StructuralSchema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly maxProperties?: number;
  readonly "x-kubernetes-int-or-string"?: true;
  readonly "x-kubernetes-preserve-unknown-fields"?: true;
  readonly "x-kubernetes-list-type"?: "atomic" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-validations"?: readonly Rule[];
}

/** A rule in CEL; one with `oldSelf` is asked at updates only. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  /** Asked at the creation too, where `oldSelf` is none. */
  readonly optionalOldSelf?: true;
}

type Json = z.core.JSONSchema.JSONSchema;

/** What `parseSize` takes, in words that Go's regular expressions know. */
const SIZE = String.raw`^\s*\d+(\.\d+)?\s*([kKmMgGtT][iI][bB]?|[bB])?\s*$`;

/** The schema of what people and programs write, from the shape that reads it. Throws for a shape that the API server has no words for. */
export const structuralSchema = (shape: z.ZodType): StructuralSchema => converted(z.toJSONSchema(shape, { io: "input" }), "");

function converted(json: Json, path: string): StructuralSchema {
  const description = described(json);
  return { ...(description === undefined ? {} : { description }), ...kindOf(json, path) };
}

/** The API server is not told the defaults: an option left out goes on meaning what the driver takes for it. Of an empty one there is nothing to say. */
function described({ description, default: value }: Json): string | undefined {
  const told = (typeof value === "string" && value !== "") || typeof value === "number" || typeof value === "boolean";
  return description === undefined || !told ? description : `${description} Default: ${value}.`;
}

function kindOf(json: Json, path: string): StructuralSchema {
  if (json.anyOf !== undefined) return union(json.anyOf, path);
  if (Array.isArray(json.type)) return { pattern: SIZE, "x-kubernetes-int-or-string": true };
  switch (json.type) {
    case "string":
      return { type: "string", ...(json.enum === undefined ? {} : { enum: [...json.enum] }), ...pattern(json.pattern) };
    case "integer":
      return { type: "integer", format: "int64", ...range(json) };
    case "number":
      return { type: "number", ...range(json) };
    case "boolean":
      return { type: "boolean" };
    case "array":
      return list(json, path);
    case "object":
      return object(json, path);
    default:
      throw new TypeError(`${path}: a schema for the API server has no words for ${JSON.stringify(json)}`);
  }
}

/** One of two kinds: the API server knows that of whole numbers and strings alone, and leaves any other to who reads it. */
function union(alternatives: readonly Json[], path: string): StructuralSchema {
  const kinds = new Set(alternatives.map(({ type }) => type));
  if (kinds.size === 1) return kindOf({ type: "string" }, path);
  return kinds.has("integer") && kinds.has("string") ? { "x-kubernetes-int-or-string": true } : { "x-kubernetes-preserve-unknown-fields": true };
}

/** Go has no lookahead: who reads the value judges it then. */
const pattern = (text: string | undefined): StructuralSchema => (text === undefined || text.includes("(?!") ? {} : { pattern: text });

const range = ({ minimum, maximum }: Json): StructuralSchema => ({
  ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
  ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
});

function list({ items, minItems }: Json, path: string): StructuralSchema {
  const each = converted(items as Json, `${path}[]`);
  const isConditions = each.properties?.["lastTransitionTime"] !== undefined;
  return {
    type: "array",
    items: each,
    ...(minItems === undefined ? {} : { minItems }),
    ...(isConditions ? { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] } : { "x-kubernetes-list-type": "atomic" }),
  };
}

function object({ properties, required, additionalProperties: others }: Json, path: string): StructuralSchema {
  const inner = Object.entries(properties ?? {}).map(([key, value]) => [key, converted(value as Json, `${path}.${key}`)]);
  const isRecord = properties === undefined && typeof others === "object";
  const isLoose = !isRecord && typeof others === "object";
  return {
    type: "object",
    ...(isRecord ? { additionalProperties: converted(others, `${path}.*`) } : {}),
    ...(inner.length === 0 ? {} : { properties: Object.fromEntries(inner) as Record<string, StructuralSchema> }),
    ...(required === undefined || required.length === 0 ? {} : { required: [...required] }),
    ...(isLoose ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
  };
}

/** `schema` with `addition` at a path such as "spec.backing.loop" or "spec.devices[]". Throws when nothing is there: rules are not lost by a renaming. */
export function withAddition(schema: StructuralSchema, path: readonly string[], addition: StructuralSchema): StructuralSchema {
  const [key, ...rest] = path;
  if (key === undefined) return { ...schema, ...addition };
  const below = key === "[]" ? schema.items : schema.properties?.[key];
  if (below === undefined) throw new TypeError(`there is no ${key} to add ${JSON.stringify(addition)} to`);
  const changed = withAddition(below, rest, addition);
  return key === "[]" ? { ...schema, items: changed } : { ...schema, properties: { ...schema.properties, [key]: changed } };
}

/** A place in a document, and what is wrong there. */
export type Path = readonly (string | number)[];
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** What stands there, if anything does: the document may be wrong in any way. */
export const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined), value);

export const textAt = (value: unknown, ...path: Path): string | undefined => {
  const found = at(value, path);
  return typeof found === "string" ? found : undefined;
};

export const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);

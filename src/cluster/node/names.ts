/** Source: csi spec, "Size Limits". */
const MAX_NAME_BYTES = 128;

/** What is wrong with the names of an object that is to be the only one of its CSI name. */
export function nameProblems(
  object: { readonly metadata: { readonly name: string }; readonly spec: { readonly name: string } },
  idOf: (name: string) => string,
): readonly string[] {
  const { metadata, spec } = object;
  if (spec.name === "") return ["spec.name is empty"];
  if (Buffer.byteLength(spec.name) > MAX_NAME_BYTES) return [`spec.name has ${Buffer.byteLength(spec.name)} bytes: at most ${MAX_NAME_BYTES} are taken`];
  const id = idOf(spec.name);
  return metadata.name === id
    ? []
    : [`the object of spec.name ${JSON.stringify(spec.name)} is called ${id}: objects are made by dmthin's controller, not by hand`];
}

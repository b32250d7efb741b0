/**
 * Whether a resourceVersion is newer than another of the same kind of object; undefined is older than all. Versions are
 * decimal numbers without an end. Source: KEP-5504, comparable resource versions.
 */
export function isNewer(version: string, than: string | undefined): boolean {
  if (than === undefined) return true;
  return version.length === than.length ? version > than : version.length > than.length;
}

import { DmthinError } from "../errors.ts";

/** One of mkfs's options that take a list, such as `-E nodiscard,stride=16`. */
export interface ListOption {
  readonly option: string;
  /** "name" or "name=value". */
  readonly items: readonly string[];
}

/**
 * Takes the list options out of the user's arguments, whether written `-E list` or `-Elist`, and leaves the others as
 * they stand.
 */
function takeListOptions(args: readonly string[], options: readonly string[]): { readonly lists: readonly ListOption[]; readonly rest: readonly string[] } {
  const lists: ListOption[] = [];
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    const option = options.find((option) => arg.startsWith(option));
    if (option === undefined) {
      rest.push(arg);
      continue;
    }
    if (arg === option) index++;
    const list = arg === option ? (args[index] ?? "") : arg.slice(option.length);
    lists.push({ option, items: list.split(",") });
  }
  return { lists, rest };
}

/** The user's lists joined behind ours: mke2fs hears only the last `-E`, and within it the later word. */
export function joinedBehind(ours: ListOption, args: readonly string[]): readonly string[] {
  const { lists, rest } = takeListOptions(args, [ours.option]);
  return [ours.option, [...ours.items, ...lists.flatMap(({ items }) => items)].join(","), ...rest];
}

/** Ours without what the user names, then the user's own: mkfs.xfs refuses to be told twice. */
export function withoutNamed(ours: readonly ListOption[], args: readonly string[]): readonly string[] {
  const { lists } = takeListOptions(args, [...new Set(ours.map(({ option }) => option))]);
  const named = new Set(lists.flatMap(({ option, items }) => items.map((item) => `${option} ${nameOf(item)}`)));
  const kept = ours.map(({ option, items }) => ({ option, items: items.filter((item) => !named.has(`${option} ${nameOf(item)}`)) }));
  return [...kept.filter(({ items }) => items.length > 0).flatMap(({ option, items }) => [option, items.join(",")]), ...args];
}

const nameOf = (item: string): string => item.split("=")[0] ?? "";

/** mkfs would format, copy in or log to a second path: an option has no business to name one. */
export function requireNoPaths(args: readonly string[]): void {
  const problems = args
    .filter((arg) => arg.includes("/"))
    .map((arg) => `mkfs option ${JSON.stringify(arg)} names a path, and only the volume's own device may be used`);
  if (problems.length > 0) throw new DmthinError({ code: "invalid-argument", problems });
}

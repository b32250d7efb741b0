/**
 * What a mkfs takes on its command line, as far as a volume may have it: an option that is not here would make no
 * filesystem (a dry run, help), another one than asked, or need a second path. Judged when a volume is made, long before
 * there is a device to try it on.
 */
export interface MkfsUsage {
  /** One-letter options that take a value: "-N 100", or "-N100". */
  readonly values: string;
  /** One-letter options that take none, and may stand together: "-FK". */
  readonly flags: string;
  /** Long options, with whether they take a value: "--csum xxhash", or "--csum=xxhash". */
  readonly long?: Readonly<Record<string, boolean>>;
}

/** What is wrong with the options, a sentence each; whether values are right only mkfs itself can tell. */
export function mkfsProblems(program: string, usage: MkfsUsage, options: readonly string[]): readonly string[] {
  const problems: string[] = [];
  for (let index = 0; index < options.length; index++) {
    const option = options[index] ?? "";
    const judged = judge(usage, option);
    if (judged === "unknown") problems.push(`${program} may not be given ${JSON.stringify(option)} for a volume: it is not known, or makes no filesystem`);
    else if (judged === "no option") problems.push(`${JSON.stringify(option)} is no option of ${program}: the device is the volume's own`);
    else if (judged === "takes the next" && ++index >= options.length) problems.push(`${program}'s option ${option} lacks its value`);
  }
  for (const option of options) if (option.includes("/")) problems.push(`${JSON.stringify(option)} names a path, and only the volume's own device may be used`);
  return problems;
}

type Judged = "fine" | "takes the next" | "unknown" | "no option";

function judge({ values, flags, long = {} }: MkfsUsage, option: string): Judged {
  if (!/^-./.test(option)) return "no option";
  if (option.startsWith("--")) {
    const [name = "", value] = option.slice(2).split("=", 2);
    const takesValue = Object.hasOwn(long, name) ? long[name] : undefined;
    if (takesValue === undefined) return "unknown";
    return takesValue && value === undefined ? "takes the next" : takesValue || value === undefined ? "fine" : "unknown";
  }
  for (let index = 1; index < option.length; index++) {
    const letter = option.charAt(index);
    if (values.includes(letter)) return index + 1 < option.length ? "fine" : "takes the next";
    if (!flags.includes(letter)) return "unknown";
  }
  return "fine";
}

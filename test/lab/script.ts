/** One word for sh, whatever characters it has. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Lines that set variables, for sh to read. */
export function assignments(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${quote(value)}`)
    .join("\n");
}

/** A script that changes to a folder, sets the environment and becomes a command. */
export function commandScript(argv: readonly string[], folder: string, environment: Readonly<Record<string, string>>): string {
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`);
  return [`cd ${quote(folder)} || exit 1`, ...exports, `exec ${argv.map(quote).join(" ")}`].join("\n");
}

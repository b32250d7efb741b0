import { types } from "node:util";
import { createLogger as createWinston, format, transports, type Logger as Winston } from "winston";
import { withCauses } from "./errors.ts";

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured: a sentence without values, and the values beside it. Never a secret: requests are logged by csi/redact.ts. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with these fields on every line. */
  child(fields: LogFields): Logger;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = "json" | "text";

/** Errors among the fields are written with their causes. All goes to stderr: stdout belongs to commands. */
export function createLogger(options: { readonly level: LogLevel; readonly format: LogFormat }): Logger {
  const winston = createWinston({
    level: options.level,
    format: format.combine(format(spellErrors)(), format.timestamp(), options.format === "json" ? format.json() : format.printf(line)),
    transports: [new transports.Console({ stderrLevels: [...LOG_LEVELS] })],
  });
  return new LeveledLogger(winston, options.level, {});
}

/** Winston formats what it then drops: what nobody is to read does not get there. */
class LeveledLogger implements Logger {
  readonly #winston: Winston;
  readonly #level: LogLevel;
  readonly #always: LogFields;

  constructor(winston: Winston, level: LogLevel, always: LogFields) {
    this.#winston = winston;
    this.#level = level;
    this.#always = always;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log("error", message, fields);
  }

  child(fields: LogFields): Logger {
    return new LeveledLogger(this.#winston, this.#level, { ...this.#always, ...fields });
  }

  #log(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.#level)) this.#winston[level](message, { ...this.#always, ...fields });
  }
}

/** Drops everything: for tests of what does not log. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

function spellErrors<Info extends Record<string, unknown>>(info: Info): Info {
  for (const [key, value] of Object.entries(info)) {
    if (types.isNativeError(value)) Object.assign(info, { [key]: withCauses(value) });
  }
  return info;
}

function line({ timestamp, level, message, ...fields }: Record<string, unknown>): string {
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${spell(value)}`);
  return [String(timestamp), String(level), String(message), ...rest].join(" ");
}

/** On one line whatever it holds, and told apart from its neighbours. */
function spell(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value === "string" && /^[^\s"=\p{Cc}]+$/u.test(value)) return value;
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner));
}

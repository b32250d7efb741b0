import { readFile } from "node:fs/promises";
import { types } from "node:util";
import { parseDocument } from "yaml";
import { DmthinError, type FileNamed } from "../errors.ts";
import { isMissing } from "../files.ts";
import { parseControllerConfig, type ControllerConfig } from "./controller.ts";
import { parseNodeConfig, type NodeConfig } from "./node.ts";
import { parseConfig, type StandaloneConfig } from "./standalone.ts";

/** Reads a standalone configuration, YAML or JSON. Throws "config-invalid" with every problem. */
export async function loadConfig(path: string, named: FileNamed = "by --config"): Promise<StandaloneConfig> {
  return parseConfig(readYaml(await readText(path, named), path), path);
}

/** Of `dmthin node`. `node`: what its pod is told; by default what the environment tells. */
export async function loadNodeConfig(path: string, named: FileNamed = "by --config", node?: string): Promise<NodeConfig> {
  return parseNodeConfig(readYaml(await readText(path, named), path), path, node);
}

/** Of `dmthin controller`. `namespace`: the same. */
export async function loadControllerConfig(path: string, named: FileNamed = "by --config", namespace?: string): Promise<ControllerConfig> {
  return parseControllerConfig(readYaml(await readText(path, named), path), path, namespace);
}

/** Throws "config-invalid", and says so when there is no such file. */
export async function readText(path: string, named: FileNamed): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const message = `cannot be read: ${messageOf(cause)}`;
    const missing = isMissing(cause) ? { missing: named } : {};
    throw new DmthinError({ code: "config-invalid", source: path, problems: [{ path: "", message }], ...missing }, { cause });
  }
}

/** JSON is YAML too. Problems carry line and column. */
export function readYaml(text: string, source: string): unknown {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  const problems = document.errors.map(({ message, linePos }) => ({
    path: linePos === undefined ? "" : `line ${linePos[0].line}, column ${linePos[0].col}`,
    message: (message.split("\n")[0] ?? message).replace(/ at line \d+, column \d+:?$/, ""),
  }));
  if (problems.length > 0) throw new DmthinError({ code: "config-invalid", source, problems });
  try {
    const value: unknown = document.toJS();
    if (value !== null) return value;
  } catch (cause) {
    // An alias to nothing, or aliases that multiply beyond measure.
    throw new DmthinError({ code: "config-invalid", source, problems: [{ path: "", message: messageOf(cause) }] }, { cause });
  }
  throw new DmthinError({ code: "config-invalid", source, problems: [{ path: "", message: 'is empty: "dmthin config example" prints one to start from' }] });
}

const messageOf = (cause: unknown): string => (types.isNativeError(cause) ? cause.message : String(cause));

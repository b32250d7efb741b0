import { join, resolve } from "node:path";

/** The folder of this checkout; guests have it at the same path. */
export const checkout = resolve(import.meta.dirname, "../..");

/** The project's own Node, whatever the machine has. */
export const nodeBinary = join(checkout, `node_modules/node-linux-${process.arch}/bin/node`);

import { createHash } from "node:crypto";
import { stripTypeScriptTypes } from "node:module";

/** Jest's transformer: Node's own type stripping, which keeps every line and column where it was, so no source maps. */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
  processAsync: async (source) => ({ code: stripTypeScriptTypes(source) }),
  getCacheKey: (source) => createHash("sha256").update(process.version).update(source).digest("hex"),
};

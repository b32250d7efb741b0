import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { putLockedPackage } from "./locked-package.ts";

const NAME = "@example/native-arm64";

/** A checkout whose lock file has one package, and a registry that has `published` under its name. */
function withCheckout(
  published: "the same" | "another",
  check: (folder: string, fetched: string[], fetch: (what: string, into: string) => void) => void,
): void {
  const folder = mkdtempSync(join(tmpdir(), "locked-"));
  try {
    const [right, wrong] = ["the same", "another"].map((contents) => archive(folder, contents));
    const integrity = `sha512-${createHash("sha512")
      .update(right ?? "")
      .digest("base64")}`;
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: { [`node_modules/${NAME}`]: { version: "1.2.3", integrity } } }));
    mkdirSync(join(folder, "node_modules"));
    const fetched: string[] = [];
    check(folder, fetched, (what, into) => {
      fetched.push(what);
      writeFileSync(join(into, "package.tgz"), (published === "the same" ? right : wrong) ?? "");
    });
    expect(readdirSync(join(folder, "node_modules")).filter((name) => name.startsWith("."))).toEqual([]); // nothing is left of the work
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function archive(folder: string, contents: string): Buffer {
  const tree = join(folder, contents);
  mkdirSync(join(tree, "package"), { recursive: true });
  writeFileSync(join(tree, "package/package.json"), JSON.stringify({ version: "1.2.3" }));
  writeFileSync(join(tree, "package/library.node"), contents);
  const { stdout, status } = spawnSync("tar", ["--create", "--gzip", "--directory", tree, "package"]);
  expect(status).toBe(0);
  return stdout;
}

test("a package for another machine is put in its place, once", () =>
  withCheckout("the same", (folder, fetched, fetch) => {
    for (let time = 0; time < 2; time++) putLockedPackage(folder, NAME, fetch);
    expect(readFileSync(join(folder, "node_modules", NAME, "library.node"), "utf8")).toBe("the same");
    expect(fetched).toEqual([`${NAME}@1.2.3`]);
  }));

test("one that is not what the lock file says gets nowhere", () =>
  withCheckout("another", (folder, _fetched, fetch) => {
    expect(() => putLockedPackage(folder, NAME, fetch)).toThrow(/@example\/native-arm64@1\.2\.3 is not what package-lock\.json says/);
    expect(existsSync(join(folder, "node_modules", NAME))).toBe(false);
  }));

test("one that the lock file does not have is not fetched", () =>
  withCheckout("the same", (folder, fetched, fetch) => {
    expect(() => putLockedPackage(folder, "node-linux-s390x", fetch)).toThrow("package-lock.json has no node-linux-s390x");
    expect(fetched).toEqual([]);
  }));

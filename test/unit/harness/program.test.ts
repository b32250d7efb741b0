import { expect, test } from "@jest/globals";
import { ended, output } from "../../harness/program.ts";

test("a program's end is told as it was, and one that has to succeed says why it did not", () => {
  expect(ended("sh", ["-c", "cat; echo bad >&2; exit 3"], { input: "good" })).toEqual({ status: 3, stdout: "good", stderr: "bad\n" });
  expect(output("printf", ["good"])).toBe("good");
  expect(() => output("sh", ["-c", "echo bad >&2; exit 3"])).toThrow("sh -c echo bad >&2; exit 3 exited with 3: bad");
});

test("one that hangs is ended and named, with what it had said", () => {
  expect(() => ended("sh", ["-c", "echo so far; exec sleep 1000"], { limitMs: 500 })).toThrow(/^sh -c .*ETIMEDOUT; it said: so far/);
});

test("one that is not there is an error, not an exit code", () => {
  expect(() => ended("/absent", [])).toThrow(/ENOENT/);
});

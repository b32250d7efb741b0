import { expect, jest, test } from "@jest/globals";
import type { Finding } from "../../../src/offline/report.ts";
import { BUNDLE } from "../../harness/driver.ts";
import { ended } from "../../harness/program.ts";

jest.setTimeout(60_000);

test("in a guest, which has all that the driver needs, doctor has no problem to tell", () => {
  const [program = "", ...entry] = BUNDLE;
  const { status, stdout, stderr } = ended(program, [...entry, "doctor", "--json"]);
  const findings = JSON.parse(stdout) as readonly Finding[];
  expect(findings.filter(({ severity }) => severity === "problem")).toEqual([]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const texts = findings.map(({ text }) => text).join("\n");
  for (const expected of [/target thin-pool \d/, /target thin \d/, /all \d+ are there/, /the kernel mounts xfs/, /thin-provisioning-tools \d/, /LVM \d/])
    expect(texts).toMatch(expected);
});

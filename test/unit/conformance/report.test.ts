import { expect, test } from "@jest/globals";
import { judge, JUSTIFIED, parseReport } from "../../conformance/report.ts";

/** As ginkgo 2 writes it. */
const REPORT = `<testsuites tests="4"><testsuite name="CSI Driver Test Suite">
  <testcase name="[BeforeSuite]" classname="CSI Driver Test Suite" status="passed" time="0.1"></testcase>
  <testcase name="[It] Node Service should work" classname="CSI Driver Test Suite" status="passed" time="0.1"><system-err>a &gt; b</system-err></testcase>
  <testcase name="[It] Node Service &#34;x&#34; should fail" classname="CSI Driver Test Suite" status="failed" time="0.1"><failure>no</failure></testcase>
  <testcase name="[It] CreateSnapshot ${Object.keys(JUSTIFIED)[0]}" classname="CSI Driver Test Suite" status="skipped" time="0"><skipped/></testcase>
  <testcase name="[It] GetCapacity should return capacity" classname="CSI Driver Test Suite" status="skipped" time="0"><skipped/></testcase>
</testsuite></testsuites>`;

test("a spec that is skipped without a reason we know has failed", () => {
  const { tally, lines } = judge(parseReport(REPORT));
  expect(tally).toEqual({ passed: 1, failed: 2, skipped: 1 });
  expect(lines).toEqual([
    'failed: Node Service "x" should fail',
    expect.stringContaining("skipped: CreateSnapshot"),
    "skipped: GetCapacity should return capacity",
  ]);
});

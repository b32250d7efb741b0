import type { Command } from "commander";
import type { Finding } from "../offline/report.ts";
import { begin, EXIT_FAILURE, EXIT_OK, type End } from "./command.ts";
import { printFindings } from "./offline.ts";
import { paintFor, type Terminal } from "./terminal.ts";

export interface DoctorParts {
  readonly terminal: Terminal;
  /** Looks at this machine. */
  readonly examine: () => Promise<readonly Finding[]>;
}

export function addDoctorCommand(dmthin: Command, { terminal, examine }: DoctorParts, end: End): void {
  begin(dmthin.command("doctor"), terminal, ["dmthin doctor", "dmthin doctor --json | jq '.[] | select(.severity != \"ok\")'"])
    .description("Look at this machine: kernel, programs, udev, loop devices, LVM, mounts, disks. Changes nothing; exit code 1 on a problem.")
    .option("--json", "print JSON", false)
    .action(async ({ json }: { readonly json: boolean }) => end(doctor(await examine(), json, terminal)));
}

function doctor(findings: readonly Finding[], json: boolean, { output }: Terminal): number {
  const problems = findings.filter(({ severity }) => severity === "problem").length;
  const warnings = findings.filter(({ severity }) => severity === "warning").length;
  if (json) output.write(`${JSON.stringify(findings, undefined, 2)}\n`);
  else output.write(`${printFindings(findings, paintFor(output))}\n${problems} problems, ${warnings} warnings.\n`);
  return problems === 0 ? EXIT_OK : EXIT_FAILURE;
}

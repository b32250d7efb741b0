import { runJest, runJestInGuest } from "../harness/jest.ts";
import { prepareLab } from "../lab/start.ts";
import { testCommand } from "../harness/test-command.ts";

const args = process.argv.slice(2);

await testCommand(
  [
    {
      name: "the lab itself",
      run: async () => {
        await prepareLab();
        return runJest(["lab"], args, ["--runInBand"]);
      },
    },
    { name: "reboots, and udev as hosts have it", run: () => runJest(["reboot"], args, ["--runInBand"]) },
    { name: "the layers on a real kernel", run: () => runJestInGuest("kernel", args, { disks: ["4G", "4G", "2G"], guests: 4 }) },
  ],
  { root: true, takesArguments: true },
);

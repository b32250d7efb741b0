import { expect, test } from "@jest/globals";
import { lvmKernelName } from "../../../src/config/lvm-kernel-name.ts";
import { isMadeByLvm, kernelUuid, poolKernelNames } from "../../../src/lvm/names.ts";
import { profileText } from "../../../src/lvm/profile.ts";

test("the kernel's names and uuids of logical volumes, as they were seen in the lab", () => {
  expect(lvmKernelName("dmthin-fast", "catalog")).toBe("dmthin--fast-catalog");
  expect(poolKernelNames("dmthin-fast", "my-pool")).toEqual([
    "dmthin--fast-my--pool_tdata",
    "dmthin--fast-my--pool_tmeta",
    "dmthin--fast-my--pool",
    "dmthin--fast-my--pool-tpool",
  ]);
  const volume = { groupUuid: "ONom5I-ivnK-hist-LCIl-zKSK-sgVF-m4251f", uuid: "wR7jhk-DQkQ-GbOD-LEus-7CiV-vdUr-2OWCsF" };
  const uuid = kernelUuid(volume, "-tpool");
  expect(uuid).toBe("LVM-ONom5IivnKhistLCIlzKSKsgVFm4251fwR7jhkDQkQGbODLEus7CiVvdUr2OWCsF-tpool");
  expect(isMadeByLvm({ uuid })).toBe(true);
  expect(isMadeByLvm({ uuid: `DMTHIN-${uuid}` })).toBe(false);
});

test("a profile says what the driver does; LVM takes whole percentages, and none of 0", () => {
  expect(profileText({ thresholdPercent: 80, percent: 20 })).toBe("activation {\n\tthin_pool_autoextend_threshold=80\n\tthin_pool_autoextend_percent=20\n}\n");
  expect(profileText({ thresholdPercent: 100, percent: 0.2 })).toBe(
    "activation {\n\tthin_pool_autoextend_threshold=100\n\tthin_pool_autoextend_percent=1\n}\n",
  );
});

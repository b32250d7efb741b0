import { expect, test } from "@jest/globals";
import { whereMounted } from "../../../../src/pool/backings/disk-examination.ts";

const config = { root: "/var/lib/kubelet/pods/8f/volumes/config", target: "/etc/dmthin" };
const state = { root: "/var/lib/dmthin", target: "/var/lib/dmthin" };

test("a mounted disk is told by its own mount point, the shortest, whatever folder of it is bound elsewhere", () => {
  const own = [
    { root: "/", target: "/host/sysroot" },
    { root: "/", target: "/mnt/data" },
  ];
  expect(whereMounted([config, ...own, state])).toBe("it is mounted on /mnt/data");
});

test("where only its folders are seen, as in a container, the one nearest to its root is told by its path there", () => {
  expect(whereMounted([config, state])).toBe("it is mounted: its /var/lib/dmthin is on /var/lib/dmthin here");
});

test("one that is mounted nowhere is not", () => expect(whereMounted([])).toBeUndefined());

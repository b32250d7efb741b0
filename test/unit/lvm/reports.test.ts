import { describe, expect, test } from "@jest/globals";
import { logicalVolumes, parseReport, physicalVolume, volumeGroup } from "../../../src/lvm/reports.ts";

/** As LVM 2.03.31 printed them in the lab. */
const VOLUMES = `  {
      "report": [
          {
              "lv": [
                  {"lv_name":"catalog", "lv_uuid":"WnsTPJ-1Kdk-uaAi-YHIR-Xc8I-BSJU-SEWZpc", "vg_uuid":"ONom5I-ivnK-hist-LCIl-zKSK-sgVF-m4251f", "lv_size":"67108864", "lv_tags":"dmthin-unformatted,x", "segtype":"linear", "lv_active":"active", "transaction_id":"", "chunk_size":"0", "zero":"unknown", "data_lv":"", "metadata_lv":"", "pool_lv":"", "lv_profile":"", "lv_when_full":"", "seg_monitor":""},
                  {"lv_name":"[lvol0_pmspare]", "lv_uuid":"ipcu6U-50SM-pEzW-jlWk-EJE1-xCAZ-YlAFCR", "vg_uuid":"ONom5I-ivnK-hist-LCIl-zKSK-sgVF-m4251f", "lv_size":"41943040", "lv_tags":"", "segtype":"linear", "lv_active":"", "transaction_id":"", "chunk_size":"0", "zero":"unknown", "data_lv":"", "metadata_lv":"", "pool_lv":"", "lv_profile":"", "lv_when_full":"", "seg_monitor":""},
                  {"lv_name":"pool", "lv_uuid":"wR7jhk-DQkQ-GbOD-LEus-7CiV-vdUr-2OWCsF", "vg_uuid":"ONom5I-ivnK-hist-LCIl-zKSK-sgVF-m4251f", "lv_size":"1258291200", "lv_tags":"dmthin", "segtype":"thin-pool", "lv_active":"active", "transaction_id":"0", "chunk_size":"524288", "zero":"zero", "data_lv":"[pool_tdata]", "metadata_lv":"[pool_tmeta]", "pool_lv":"", "lv_profile":"dmthin-fast", "lv_when_full":"error", "seg_monitor":"not enabled"},
                  {"lv_name":"[pool_tdata]", "lv_uuid":"x4UtHk-tQO0-ECQZ-Qkzc-Vy2z-Yabt-YwRSQZ", "vg_uuid":"ONom5I-ivnK-hist-LCIl-zKSK-sgVF-m4251f", "lv_size":"8434745344", "lv_tags":"", "segtype":"linear", "lv_active":"active", "transaction_id":"", "chunk_size":"0", "zero":"unknown", "data_lv":"", "metadata_lv":"", "pool_lv":"", "lv_profile":"", "lv_when_full":"", "seg_monitor":""},
                  {"lv_name":"[pool_tdata]", "lv_uuid":"x4UtHk-tQO0-ECQZ-Qkzc-Vy2z-Yabt-YwRSQZ", "vg_uuid":"ONom5I-ivnK-hist-LCIl-zKSK-sgVF-m4251f", "lv_size":"8434745344", "lv_tags":"", "segtype":"linear", "lv_active":"active", "transaction_id":"", "chunk_size":"0", "zero":"unknown", "data_lv":"", "metadata_lv":"", "pool_lv":"", "lv_profile":"", "lv_when_full":"", "seg_monitor":""}
              ]
          }
      ]
      ,
      "log": [
      ]
  }`;
const row = (table: string, fields: Readonly<Record<string, string>>): string => JSON.stringify({ report: [{ [table]: [fields] }], log: [] });

describe("reports of LVM", () => {
  test("logical volumes: hidden names without their brackets, each once however many segments it has, a pool with what it is made of", () => {
    const volumes = logicalVolumes(parseReport(VOLUMES));
    expect(volumes.map(({ name, hidden, active }) => [name, hidden, active])).toEqual([
      ["catalog", false, true],
      ["lvol0_pmspare", true, false],
      ["pool", false, true],
      ["pool_tdata", true, true],
    ]);
    expect(volumes[0]?.tags).toEqual(["dmthin-unformatted", "x"]);
    expect(volumes.map(({ pool }) => pool)).toEqual([
      undefined,
      undefined,
      {
        data: "pool_tdata",
        metadata: "pool_tmeta",
        transactionId: 0,
        chunkSize: 524_288,
        zeroes: true,
        profile: "dmthin-fast",
        whenFull: "error",
        monitored: false,
      },
      undefined,
    ]);
    expect(volumes[3]?.sizeBytes).toBe(8_434_745_344);
  });

  test("physical volumes and groups", () => {
    const disk = {
      pv_name: "/dev/sdb",
      pv_uuid: "dmthin-abcd",
      pv_size: "8585740288",
      pv_pe_count: "2047",
      pv_pe_alloc_count: "336",
      pv_missing: "",
      pv_in_use: "used",
    };
    const [inGroup] = parseReport(row("pv", { ...disk, vg_name: "dmthin-fast", vg_uuid: "ONom5I" })).map(physicalVolume);
    expect(inGroup).toMatchObject({ group: "dmthin-fast", freeExtents: 1711, missing: false, inUse: true });
    const [alone] = parseReport(row("pv", { ...disk, vg_name: "", vg_uuid: "", pv_missing: "missing", pv_in_use: "" })).map(physicalVolume);
    expect(alone).toMatchObject({ group: undefined, missing: true, inUse: false });
    const [claimed] = parseReport(row("pv", { ...disk, vg_name: "[unknown]", vg_uuid: "" })).map(physicalVolume);
    expect(claimed).toMatchObject({ group: undefined, groupUuid: undefined, inUse: true });
    const group = {
      vg_name: "g",
      vg_uuid: "u",
      vg_tags: "dmthin,dmthin-pool-fast",
      vg_extent_size: "4194304",
      vg_extent_count: "2047",
      vg_free_count: "1711",
      vg_missing_pv_count: "1",
    };
    expect(parseReport(row("vg", group)).map(volumeGroup)).toEqual([
      { name: "g", uuid: "u", tags: ["dmthin", "dmthin-pool-fast"], extentBytes: 4_194_304, extents: 2047, freeExtents: 1711, missingPhysicalVolumes: 1 },
    ]);
  });

  test("nothing to report is an empty table; a field that is no number, or was not asked for, is an error", () => {
    expect(parseReport('{"report": [{"vg": []}], "log": []}')).toEqual([]);
    const [found] = parseReport(row("vg", { vg_extent_count: "many" }));
    expect(() => found?.count("vg_extent_count")).toThrow(/many/);
    expect(() => found?.text("vg_name")).toThrow(/has no vg_name/);
  });
});

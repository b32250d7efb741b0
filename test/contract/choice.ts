/** The scratch disks of the guest that this runs in; none on a machine without one, where the simulation is tested. */
export const labDisks: readonly string[] = (process.env["LAB_DISKS"] ?? "").split(" ").filter((path) => path !== "");

/** Whether these tests run against the real kernel. They are the same: where simulation and kernel differ, the simulation is wrong. */
export const isReal = labDisks.length > 0;

/** On the real kernel, whether pools lie on a whole disk, where LVM makes and activates them, instead of on two devices. */
export const isOnLvm = process.env["LAB_BACKING"] === "directLvm";

/** On the simulated kernel, whether what is asked of volumes goes through objects that the node carries out. */
export const isThroughObjects = !isReal && process.env["LAB_THROUGH"] === "objects";

/** Of a real API server that has those objects, which a run starts; without it they are in a simulated one. */
export const apiKubeconfig = process.env["API_CONTRACT_KUBECONFIG"];

const objects = apiKubeconfig === undefined ? "objects" : "objects of a real API server";
const simulation = isThroughObjects ? `${objects}, on the simulation` : "the simulation";
export const worldName = isReal ? (isOnLvm ? "the real kernel, on LVM" : "the real kernel") : simulation;

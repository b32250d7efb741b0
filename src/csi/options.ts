/** The name under which Kubernetes and others know this driver. */
export const DRIVER_NAME = "csi.dmthin.io";

/** What a driver offers beyond what it always does. */
export interface CsiOptions {
  /** Test only: answer ControllerPublishVolume, which does nothing here. `limit`: how many volumes it attaches. */
  readonly attach: { readonly limit: number | undefined } | undefined;
  /** What CSI 1.13 has as alpha and Kubernetes does not ask for yet: volume and storage health. The legacy volume condition is always answered. */
  readonly alpha: boolean;
}

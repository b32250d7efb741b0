import type { Scene } from "./scene.ts";

/** What users are promised, tried on a real cluster. */
export interface Case {
  readonly name: string;
  /** Takes away what others need, such as a node: runs by itself. */
  readonly alone?: boolean;
  /** Begins when all that others have made is gone, or counts what there is. Of those that run by themselves. */
  readonly swept?: boolean;
  /** Takes minutes: left out unless it is asked for. */
  readonly long?: boolean;
  /** In a namespace of its own, which goes when it ends. Throws where the promise is not kept. */
  readonly run: (scene: Scene) => Promise<void>;
}

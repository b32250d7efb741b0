/** Holds up this thread: for moments in which the kernel lets go of what has just been closed. */
export const pause = (milliseconds: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

import { freeMachine } from "../harness/clean-machine.ts";

// Jest runs it before each file: what a test that failed has left behind is nobody else's failure.
if (process.env["LAB_KERNEL"] === "real") freeMachine();

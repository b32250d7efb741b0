import { parentPort } from "node:worker_threads";
import { toPlain } from "../errors.ts";
import type { BlockingReply, BlockingRequest } from "./blocking-request.ts";
import { closeDescriptor, openDescriptor } from "./descriptor.ts";
import { readStart, statFilesystem, syncFilesystem } from "./filesystem-calls.ts";
import { ioctl } from "./ioctl.ts";

/** The thread that waits in the kernel so that others need not: one call at a time. Tiny, since there may be several. */
function carryOut(request: BlockingRequest): BlockingReply {
  switch (request.kind) {
    case "ioctl": {
      const { path, access = "read-write", data, operation, subject } = request;
      const fd = openDescriptor(path, access);
      try {
        ioctl(fd, request.request, data, operation, subject);
        return { answer: data };
      } finally {
        closeDescriptor(fd);
      }
    }
    case "read":
      return { answer: readStart(request.path, request.lengthBytes) };
    case "syncfs":
      syncFilesystem(request.path);
      return { answer: undefined };
    case "statfs":
      return { answer: statFilesystem(request.path) };
  }
}

parentPort?.on("message", (request: BlockingRequest) => {
  let reply: BlockingReply;
  try {
    reply = carryOut(request);
  } catch (error) {
    reply = { error: toPlain(error) };
  }
  parentPort?.postMessage(reply);
});

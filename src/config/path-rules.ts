// Apart from the schemas: commands do without their library.

/** sun_path of struct sockaddr_un has 108 bytes, the last of them zero. Source: unix(7). */
const SOCKET_PATH_BYTES = 107;

/** Why a text is no path that leads where it reads, to follow it in a sentence; undefined: it is one. */
export const pathProblem = (path: string): string | undefined => {
  if (!path.startsWith("/")) return "is not an absolute path";
  if (/\p{Cc}/u.test(path)) return "has control characters in it";
  if (path.split("/").includes("..")) return 'has ".." in it: write where it leads';
  return undefined;
};

/** The same of a socket's path. */
export const socketProblem = (path: string): string | undefined =>
  pathProblem(path) ?? (Buffer.byteLength(path) > SOCKET_PATH_BYTES ? `is too long for a socket: at most ${SOCKET_PATH_BYTES} bytes` : undefined);

/** A socket's path, written as such or as "unix:///run/…", which is how the sidecars are told. */
export const socketIn = (text: string): string => text.replace(/^unix:(\/\/)?(?=\/)/, "");

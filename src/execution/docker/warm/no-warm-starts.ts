import type { DockerWarmStarts } from './warm-starts.ts'

/** Of an engine that shares no folder with the node: nothing waits there, and what waits on this machine is another's. */
export const NO_WARM_STARTS: DockerWarmStarts = {
  keep: async () => {},
  begin: async () => ({ start: undefined }),
  hasTaken: async () => false,
  isIdle: () => false,
  removeFolder: async () => {},
  sweep: async () => {},
  [Symbol.asyncDispose]: async () => {},
}

import type { DockerWarmStarts } from './warm-starts.ts'

/** For an engine that shares no folder with the node: it keeps no warm containers, and those on this machine are not its own. */
export const NO_WARM_STARTS: DockerWarmStarts = {
  keep: async () => {},
  begin: async () => ({ start: undefined }),
  hasTaken: async () => false,
  isIdle: () => false,
  removeFolder: async () => {},
  sweep: async () => {},
  [Symbol.asyncDispose]: async () => {},
}

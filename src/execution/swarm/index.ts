export { createSwarmExecutor } from './executor.ts'
export type { SwarmExecutorInit } from './types.ts'

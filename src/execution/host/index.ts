export { createHostExecutor } from './executor.ts'
export type { HostExecutorInit } from './types.ts'

export { createPoolExecutor } from './executor.ts'
export type { PoolExecutor, PoolSpec, Pools, PoolView } from './types.ts'

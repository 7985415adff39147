export { createPoolExecutor } from './executor.ts'
export type { PoolDataView, PoolExecutor, PoolSpec, Pools, PoolView } from './types.ts'

export { createDormitory } from './dormitory.ts'
export type { Dormitory } from './types.ts'

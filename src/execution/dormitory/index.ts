export { createDormitory } from './dormitory.ts'
export { bestFirst, lowest } from './order.ts'
export { findSlot } from './slot.ts'
export type { Dormitory, DormitoryState, ParkResult } from './types.ts'

export { createDormitory } from './dormitory.ts'
export { bestFirst, lowest } from './order.ts'
export { placeFor } from './place.ts'
export type { Dormitory, DormitoryState, ParkResult } from './types.ts'

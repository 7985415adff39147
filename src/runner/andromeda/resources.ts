import { formatBytes } from '../../base/format.ts'
import type { Resources } from '../contract.ts'

export type ResourceName = keyof Resources

/** The resources that a service asks for, in a fixed order: key in LIMITS, field of the service, how a person reads it. */
export const RESOURCES = [
  { limit: 'MEMORY', field: 'memory', format: (value: number) => `${formatBytes(value)} of memory` },
  { limit: 'CPU', field: 'cpu', format: (value: number) => `${value} millicores` },
  { limit: 'DISK', field: 'disk', format: (value: number) => `${formatBytes(value)} of disk` },
  { limit: 'PIDS', field: 'pids', format: (value: number) => `${value} ${value === 1 ? 'process' : 'processes'}` },
] as const satisfies readonly { limit: string; field: ResourceName; format: (value: number) => string }[]

import { formatBytes } from '../../base/format.ts'
import type { Resources } from '../contract.ts'

export type ResourceName = keyof Resources

/** The resources that a service asks for, in a fixed order: key in LIMITS, field of the service, how a person reads it. */
export const RESOURCES = [
  { limit: 'MEMORY', field: 'memory', words: (value: number) => `${formatBytes(value)} of memory` },
  { limit: 'CPU', field: 'cpu', words: (value: number) => `${value} millicores` },
  { limit: 'DISK', field: 'disk', words: (value: number) => `${formatBytes(value)} of disk` },
  { limit: 'PIDS', field: 'pids', words: (value: number) => `${value} ${value === 1 ? 'process' : 'processes'}` },
] as const satisfies readonly { limit: string; field: ResourceName; words: (value: number) => string }[]

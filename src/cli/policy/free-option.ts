import { InputError } from '../../base/errors.ts'
import { closestMatch, formatBytes, howMany, joinWords, parseBytes } from '../../base/format.ts'
import type { NodeFacts } from '../../runner/index.ts'
import type { Option } from '../command.ts'

type Capacity = NodeFacts['capacity']
export type Free = Partial<Omit<Capacity, 'executors' | 'here'>>

const KEYS = { memory: 'memoryBytes', cpu: 'cpuMillicores', disk: 'diskBytes', pids: 'pids', runs: 'runs' } as const

/** "memory=1GiB,runs=2" */
export const freeOption: Option<Free> = {
  takes: 'WHAT',
  describe: 'what is free, like memory=1GiB,cpu=500,disk=2GiB,pids=64,runs=2 (cpu in thousandths of a core)',
  read(given, flag) {
    if (given === undefined) return {}
    const free: Record<string, number> = {}
    for (const part of String(given).split(',')) {
      const [key = '', value = ''] = part.split('=', 2).map((word) => word.trim())
      if (!Object.hasOwn(KEYS, key)) {
        const near = closestMatch(key, Object.keys(KEYS))
        const hint = near === undefined ? `allowed are ${joinWords(Object.keys(KEYS))}` : `did you mean ${near}?`
        throw new InputError(`${flag} has ${JSON.stringify(part)}; ${hint}`)
      }
      const amount =
        key === 'memory' || key === 'disk' ? parseBytes(value) : /^\d{1,15}$/.test(value) ? Number(value) : undefined
      if (amount === undefined || !Number.isSafeInteger(amount)) {
        const like = key === 'memory' || key === 'disk' ? 'a size like 256MiB' : 'a whole number'
        throw new InputError(`${flag}: ${key} is ${JSON.stringify(value)}; allowed is ${like}`)
      }
      free[KEYS[key as keyof typeof KEYS]] = amount
    }
    return free
  },
}

export function freeText({ pids, runs, here, ...all }: Capacity): string {
  const free = `${amountsText(all)}, ${howMany(Math.max(0, pids), 'process', 'processes')}, ${howMany(Math.max(0, runs), 'run', 'runs')}`
  return here === undefined
    ? free
    : `${free}; of that on the node's own machine, beside the swarm: ${amountsText(here)}`
}

function amountsText({ memoryBytes, cpuMillicores, diskBytes }: NonNullable<Capacity['here']>): string {
  const [memory, disk] = [memoryBytes, diskBytes].map((bytes) => formatBytes(Math.max(0, bytes)))
  return `${memory} memory, ${howMany(Math.max(0, cpuMillicores) / 1000, 'core', 'cores')}, ${disk} disk`
}

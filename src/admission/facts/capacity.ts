import type { RunnerConfig } from '../../config/index.ts'
import type { Resources } from '../../execution/index.ts'
import type { NodeFacts, RunningService } from '../../runner/index.ts'
import type { MachineResources } from './host-resources.ts'

type Held = Pick<RunningService, 'memory' | 'cpu' | 'disk' | 'pids'>
type OnThisMachine = NonNullable<NodeFacts['capacity']['here']>

/** What may still be granted, each the least of what the policy gives away and what the machine has. */
export function availableCapacity(
  total: Resources,
  held: readonly Held[],
  machine: MachineResources | undefined,
): Resources {
  const sum = sumOf(held)
  const free = {
    memoryBytes: total.memoryBytes - sum.memory,
    cpuMillicores: total.cpuMillicores - sum.cpu,
    diskBytes: total.diskBytes - sum.disk,
    pids: total.pids - sum.pids,
    runs: total.runs - held.length,
  }
  if (machine !== undefined) {
    free.memoryBytes = Math.min(free.memoryBytes, machine.memoryBytes)
    free.cpuMillicores = Math.min(free.cpuMillicores, machine.cpuMillicores - sum.cpu)
    free.diskBytes = Math.min(free.diskBytes, machine.diskBytes)
  }
  return {
    memoryBytes: Math.max(0, free.memoryBytes),
    cpuMillicores: Math.max(0, free.cpuMillicores),
    diskBytes: Math.max(0, free.diskBytes),
    pids: Math.max(0, free.pids),
    runs: Math.max(0, free.runs),
  }
}

/** What the node's own machine has left, whatever the policy gives away: of a node whose other runs are on the machines of a swarm. */
export function machineCapacity(held: readonly Held[], machine: MachineResources): OnThisMachine {
  return {
    memoryBytes: Math.max(0, machine.memoryBytes),
    cpuMillicores: Math.max(0, machine.cpuMillicores - sumOf(held).cpu),
    diskBytes: Math.max(0, machine.diskBytes),
  }
}

/** The machine as it would be if `held` were granted instead of `now`: what runs uses its grant at most. */
export function machineWith(machine: MachineResources, now: readonly Held[], held: readonly Held[]): MachineResources {
  const [before, after] = [sumOf(now), sumOf(held)]
  return {
    ...machine,
    memoryBytes: Math.min(machine.memoryTotalBytes, machine.memoryBytes + before.memory - after.memory),
    diskBytes: machine.diskBytes + before.disk - after.disk,
  }
}

function sumOf(held: readonly Held[]): Held {
  let [memory, cpu, disk, pids] = [0, 0, 0, 0]
  for (const one of held) {
    memory += one.memory
    cpu += one.cpu
    disk += one.disk
    pids += one.pids
  }
  return { memory, cpu, disk, pids }
}

/** LIMITS.TOTAL: what may be granted in all. */
export function totalLimits({ LIMITS }: RunnerConfig): Resources {
  const { MEMORY, CPU, DISK, PIDS, RUNS } = LIMITS.TOTAL
  return { memoryBytes: MEMORY, cpuMillicores: CPU, diskBytes: DISK, pids: PIDS, runs: RUNS }
}

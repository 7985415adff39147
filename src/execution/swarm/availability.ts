import { z } from 'zod'
import { describeEngine } from '../docker/address.ts'
import { type Engine, refusalOf } from '../docker/engine.ts'
import { unenforcedLimitsOf } from '../docker/machine.ts'
import type { Availability } from '../types.ts'
import type { Manager } from './manager.ts'
import type { SwarmExecutorInit } from './types.ts'

const infoSchema = z.looseObject({
  Architecture: z.string(),
  Swarm: z
    .looseObject({
      LocalNodeState: z.string(),
      ControlAvailable: z.boolean().optional(),
      NodeID: z.string().optional(),
    })
    .optional(),
})

export async function architectureOf({ ask }: Pick<Engine, 'ask'>): Promise<string> {
  return infoSchema.parse(await ask((docker) => docker.info())).Architecture
}

/** Asked each time: an engine comes and goes, and joins or leaves a swarm. Of the other machines no limits are known before. */
export async function swarmAvailability(
  engine: Pick<Engine, 'ask'>,
  manager: Pick<Manager, 'machines'>,
  { docker: config, enabled }: Pick<SwarmExecutorInit, 'docker' | 'enabled'>,
): Promise<Availability> {
  const absent = (detail: string): Availability => ({ available: false, detail, unenforcedLimits: [] })
  if (!enabled) return absent('DOCKER_CONFIGS.SWARM is not true: nothing begins in the swarm')
  try {
    const info = infoSchema.parse(await engine.ask((docker) => docker.info()))
    if (info.Swarm?.ControlAvailable !== true)
      return absent(
        `the Docker engine at ${describeEngine(config)} manages no swarm: run "docker swarm init" there, or set DOCKER_CONFIGS.SWARM to false`,
      )
    const machines = await manager.machines()
    // the swarm lets nothing onto a network of a machine that takes no tasks, and the relay is there
    if (!machines.includes(info.Swarm.NodeID ?? ''))
      return absent(
        `the machine of the Docker engine at ${describeEngine(config)} takes no tasks of the swarm: run "docker node update --availability active" for it, and keep runs off it with DOCKER_CONFIGS.SWARM_CONSTRAINTS`,
      )
    return {
      available: true,
      detail: `Docker Swarm of ${machines.length} ${machines.length === 1 ? 'machine' : 'machines'} at ${describeEngine(config)}`,
      unenforcedLimits: [...unenforcedLimitsOf(info), 'user: all runs on one machine of the swarm share one'],
      networks: ['allowlist', 'open'],
    }
  } catch (error) {
    return absent(refusalOf(error, config))
  }
}

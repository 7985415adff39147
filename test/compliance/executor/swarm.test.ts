import { afterAll, beforeAll, describe } from 'vitest'
import { type OwnSwarm, startOwnSwarm } from '../../fixtures/execution/swarm/own-swarm.ts'
import { needs } from '../../require.ts'
import { describeExecutor, inSwarm } from './kit.ts'

describe.skipIf(!needs('own-swarm'))('with a swarm, on its second machine', () => {
  let swarm: OwnSwarm
  beforeAll(async () => {
    swarm = await startOwnSwarm()
  })
  afterAll(() => swarm[Symbol.asyncDispose]())
  describeExecutor(
    'swarm',
    inSwarm(() => swarm),
  )
})

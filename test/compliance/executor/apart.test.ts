import { afterAll, beforeAll, describe } from 'vitest'
import { type OwnEngine, startOwnEngine } from '../../fixtures/execution/isolated-docker.ts'
import { needs } from '../../require.ts'
import { describeExecutor, inDocker } from './kit.ts'

describe.skipIf(!needs('own-engine'))('with a Docker engine that shares no folder with the node', () => {
  let engine: OwnEngine
  beforeAll(async () => {
    engine = await startOwnEngine()
  })
  afterAll(() => engine[Symbol.asyncDispose]())
  describeExecutor(
    'docker',
    inDocker(() => engine.config),
  )
})

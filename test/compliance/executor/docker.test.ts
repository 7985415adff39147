import { describe } from 'vitest'
import { needs } from '../../require.ts'
import { describeExecutor, inDocker } from './kit.ts'

describe.skipIf(!needs('engine'))('with a Docker engine', () => {
  describeExecutor(
    'docker',
    inDocker(() => ({})),
  )
})

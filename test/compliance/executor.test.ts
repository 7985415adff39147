import { describe } from 'vitest'
import { needs } from '../require.ts'
import { describeExecutor, inDocker, onHost } from './executor-kit.ts'

describe.skipIf(!needs('bubblewrap'))('with bubblewrap', () => describeExecutor('host', onHost))

describe.skipIf(!needs('engine'))('with a Docker engine', () => {
  describeExecutor(
    'docker',
    inDocker(() => ({})),
  )
})

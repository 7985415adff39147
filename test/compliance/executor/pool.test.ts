import { describe } from 'vitest'
import { needs } from '../../require.ts'
import { describeExecutor, inPool } from './kit.ts'

describe.skipIf(!needs('engine'))('with a Docker engine', () => describeExecutor('pool', inPool, { pooled: true }))

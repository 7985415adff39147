import { describe } from 'vitest'
import { needs } from '../../require.ts'
import { describeExecutor, onHost } from './kit.ts'

describe.skipIf(!needs('bubblewrap'))('with bubblewrap', () => describeExecutor('host', onHost))

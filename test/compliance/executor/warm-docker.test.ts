import { describe, expect, it } from 'vitest'
import { needs } from '../../require.ts'
import { describeExecutor, warmInDocker } from './kit.ts'

describe.skipIf(!needs('engine') || !needs('root'))('with warm containers', () => {
  const starts: string[] = []
  describeExecutor('warm docker', warmInDocker(starts))

  it('are what runs begin in, most with a Node.js that was there', () => {
    // tests of a node that was killed remove what is idle under the hands of another
    expect(starts.filter((start) => start === 'warm start').length / starts.length).toBeGreaterThan(0.5)
  })
})

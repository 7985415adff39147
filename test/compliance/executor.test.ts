import { describe, expect, it } from 'vitest'
import { needs } from '../require.ts'
import { describeExecutor, inDocker, onHost, warmOnHost } from './executor-kit.ts'

describe.skipIf(!needs('bubblewrap'))('with bubblewrap', () => describeExecutor('host', onHost))

describe.skipIf(!needs('bubblewrap') || !needs('root'))('with sandboxes that are ready', () => {
  const starts: string[] = []
  describeExecutor('warm host', warmOnHost(starts))

  it('are what runs begin in, most with a Node.js that was there', () => {
    const share = (begin: string) => starts.filter((start) => start.startsWith(begin)).length / starts.length
    expect(share('warm start')).toBeGreaterThan(0.7)
    expect(share('cold start')).toBeLessThan(0.1)
  })
})

describe.skipIf(!needs('engine'))('with a Docker engine', () => {
  describeExecutor(
    'docker',
    inDocker(() => ({})),
  )
})

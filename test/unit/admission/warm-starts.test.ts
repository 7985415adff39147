import { expect, it } from 'vitest'
import { warmStarts } from '../../../src/admission/facts/warm-starts.ts'
import { configOf } from '../../fixtures/runner/runners.ts'

it('nothing is kept warm in an engine that only manages a swarm: its list begins runs there', () => {
  const LIMITS = { WARM: { GATEWAYS: 2 } }
  const PREFER_TOOLCHAIN = { docker: ['node.js'], host: ['node.js'] }
  const DOCKER_CONFIGS = { SWARM: true, SWARM_REGISTRY: 'registry.example.org' }
  expect(warmStarts(configOf({ LIMITS, PREFER_TOOLCHAIN })).executors).toEqual(['docker', 'host'])
  expect(warmStarts(configOf({ LIMITS, PREFER_TOOLCHAIN, DOCKER_CONFIGS })).executors).toEqual(['swarm', 'host'])
})

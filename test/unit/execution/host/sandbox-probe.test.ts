import { expect, it } from 'vitest'
import { missingTool } from '../../../../src/execution/host/sandbox-probe.ts'

it.each([
  ['bash', 'bash'],
  ['/usr/bin/timeout', 'coreutils'],
  ['/usr/bin/env', 'coreutils'],
  ['unshare', 'util-linux'],
  ['/usr/bin/prlimit', 'util-linux'],
])('a machine without %s is told to install %s', (tool, name) => {
  expect(missingTool((one) => (one === tool ? undefined : one))).toBe(`${tool} is missing: install ${name}`)
})

it('a machine with all that a sandbox is made with misses nothing', () => {
  expect(missingTool((one) => one)).toBeUndefined()
})

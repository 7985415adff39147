import { expect, test } from 'vitest'
import { installedToolchains } from '../../../../src/execution/host/tool-versions.ts'

test('a toolchain is there if a sandbox shows its program; that of the node itself always is', () => {
  const programs = { 'node.js': 'node', shell: 'sh', none: 'no-such-program', path: '../../bin/no-such-program' }
  expect(installedToolchains(programs)).toEqual(['node.js', 'shell'])
})

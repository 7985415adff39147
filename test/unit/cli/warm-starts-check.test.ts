import { expect, it } from 'vitest'
import { checkWarmStarts } from '../../../src/cli/checks/warm-starts.ts'
import { readPolicy } from '../../../src/config/index.ts'

const TOTAL = { MEMORY: '1GiB', DISK: '1GiB', PIDS: 64 }
const CLASSES = [{ COUNT: 1, MEMORY: '96MiB', DISK: '8MiB', PIDS: 32 }]
const ANY = { docker: ['node.js'], host: ['node.js'] }
const HOST = { docker: [], host: ['node.js'] }

it.each([
  ['nothing that is to be kept', false, {}, ANY, []],
  ['a root node', true, { 'node.js': CLASSES, GATEWAYS: 1 }, HOST, []],
  ['gateways in Docker', false, { GATEWAYS: 1 }, ANY, []],
  ['gateways on the host', false, { GATEWAYS: 1 }, HOST, ['the host keeps nothing warm']],
  ['a class on the host', false, { 'node.js': CLASSES }, HOST, ['the host keeps nothing warm']],
  ['a class in Docker', false, { 'node.js': CLASSES }, ANY, ['Docker keeps gateways only, and the host nothing']],
  ['a list without node.js', false, { 'node.js': CLASSES }, { docker: ['python'], host: [] }, []],
])('doctor says what an ordinary user’s node cannot keep warm: %s', (_, root, WARM, PREFER_TOOLCHAIN, found) => {
  const { config } = readPolicy({ LIMITS: { TOTAL, WARM }, PREFER_TOOLCHAIN }).policy
  const checks = checkWarmStarts(config, { root })
  expect(checks.map((check) => check.found)).toEqual(found.map((text) => `this user is not root: ${text}`))
  expect(checks.map(({ outcome }) => outcome)).toEqual(found.map(() => 'warn'))
})

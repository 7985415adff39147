import { expect, it } from 'vitest'
import type { ExecutorName } from '../../../src/base/verdict.ts'
import { checkWarmStarts } from '../../../src/cli/checks/warm-starts.ts'
import { readPolicy } from '../../../src/config/index.ts'

const TOTAL = { MEMORY: '1GiB', DISK: '1GiB', PIDS: 64 }
const CLASSES = [{ COUNT: 1, MEMORY: '96MiB', DISK: '8MiB', PIDS: 32 }]
const ANY = { docker: ['node.js'], host: ['node.js'] }
const HOST = { docker: [], host: ['node.js'] }

const NOT_ROOT = 'this user is not root: the host keeps nothing warm'

it.each<[string, boolean, object, object, ExecutorName[], string[]]>([
  ['nothing that is to be kept', false, {}, ANY, ['docker', 'host'], []],
  ['a root node', true, { 'node.js': CLASSES, GATEWAYS: 1 }, HOST, ['host'], ['ok: kept on the host']],
  ['a root node with Docker', true, { 'node.js': CLASSES }, ANY, ['docker', 'host'], ['ok: kept in Docker']],
  [
    'Docker is away',
    true,
    { 'node.js': CLASSES },
    ANY,
    ['host'],
    ['ok: kept on the host, since Docker cannot be used now'],
  ],
  [
    'all are away',
    true,
    { GATEWAYS: 1 },
    ANY,
    [],
    ['warn: nothing is kept warm, since no executor that PREFER_TOOLCHAIN lists can be used now'],
  ],
  ['gateways in Docker', false, { GATEWAYS: 1 }, ANY, ['docker', 'host'], ['ok: kept in Docker']],
  ['gateways, Docker is away', false, { GATEWAYS: 1 }, ANY, ['host'], [`warn: ${NOT_ROOT}`]],
  ['gateways on the host', false, { GATEWAYS: 1 }, HOST, ['docker', 'host'], [`warn: ${NOT_ROOT}`]],
  ['a class on the host', false, { 'node.js': CLASSES }, HOST, ['host'], [`warn: ${NOT_ROOT}`]],
  [
    'a class in Docker',
    false,
    { 'node.js': CLASSES },
    ANY,
    ['docker', 'host'],
    ['warn: this user is not root: Docker keeps gateways only, and the host nothing'],
  ],
  [
    'a list without node.js',
    true,
    { 'node.js': CLASSES },
    { docker: ['python'], host: [] },
    ['docker', 'host'],
    ['warn: PREFER_TOOLCHAIN lists no executor that keeps them'],
  ],
])('doctor says where LIMITS.WARM is kept, and what cannot be: %s', (_, root, WARM, PREFER_TOOLCHAIN, there, found) => {
  const { config } = readPolicy({ LIMITS: { TOTAL, WARM }, PREFER_TOOLCHAIN }).policy
  const checks = checkWarmStarts(config, { root, available: new Set(there) })
  expect(checks.map((check) => `${check.outcome}: ${check.found}`)).toEqual(found)
})

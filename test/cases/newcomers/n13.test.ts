import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openPlace } from '../../fixtures/program/program.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

test.each(['js', 'ts'])(
  "docs/runners.md's command tests a new runner in %s with the Node.js of this machine's PATH",
  async (language) => {
    await using place = await openPlace()
    const made = await place.ran(['runner', 'new', 'mine', ...(language === 'ts' ? ['--ts'] : [])])
    expect(made.code).toBe(0)
    const guide = readFileSync(`${ROOT}/docs/runners.md`, 'utf8')
    const command = /^\S*node --test my-node\/runners\/mine\/runner\.test\.js$/m.exec(guide)?.[0] ?? ''
    const here = command.replace('my-node', place.dir).replace(/js$/, language)
    // without what a test runner tells its children
    const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env
    const { status, stdout } = spawnSync('sh', ['-c', here], { cwd: ROOT, env, encoding: 'utf8' })
    expect([status, stdout]).toEqual([0, expect.stringMatching(/fail 0/)])
  },
  180_000,
)

import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { loadPolicy } from '../../../src/config/files/policy.ts'
import { parseJson } from '../../../src/config/json.ts'

const FOLDER = resolve(import.meta.dirname, '../../../configs/runners')
const names = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

it('are these', () => expect(names.sort()).toEqual(['ask-http', 'family']))

it.each(names)('%s has settings that load, and name a schema that is there', async (name) => {
  const path = join(FOLDER, name, 'config.json')
  const { policy, notices } = await loadPolicy(path)
  expect(notices).toEqual([])
  expect(Object.keys(policy.config.CUSTOM).length).toBeGreaterThan(0)
  const { $schema } = parseJson(readFileSync(path, 'utf8')) as { $schema: string }
  expect(existsSync(resolve(path, '..', $schema))).toBe(true)
})

it.each(names)('%s passes its own tests, in the process that a node gives it', async (name) => {
  const test = readdirSync(join(FOLDER, name)).find((file) => file.startsWith('runner.test.')) ?? ''
  const argv = ['--conditions=thundercloud-source', '--test', '--test-reporter=tap', join(FOLDER, name, test)]
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env: { PATH: process.env.PATH ?? '' } })
  expect(stdout).toMatch(/\n# pass ([6-9]|\d\d)\n# fail 0\n/)
  expect(stdout).toContain('keeps the contract of runners')
})

import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import type { Notice } from '../../../src/alerts/index.ts'
import { initFolder } from '../../../src/config/index.ts'
import { runProgram } from '../../fixtures/program/process.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

/** A webhook of this machine. `status`: what it answers from now on. */
async function openWebhook() {
  const notices: Notice[] = []
  const hook = { notices, status: 204, url: '' }
  const server = createServer(async (request, response) => {
    notices.push((await json(request)) as Notice)
    response.writeHead(hook.status).end()
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  hook.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a-secret-path`
  return hook
}

test('a policy that is refused is reported by a webhook, and that it is right again; a failure to deliver is said', async () => {
  const root = await tempDir()
  const folder = join(root, 'node')
  const env = { HOME: join(root, 'home'), XDG_CONFIG_HOME: join(root, 'settings') }
  const hook = await openWebhook()
  const node = { NETWORK: 'test', VISIBILITY: 'private', LISTEN: ['/ip4/127.0.0.1/tcp/0'], API: false }
  const ALERTS = { 'policy-refused': { WEBHOOK: hook.url } }
  await initFolder(folder, { node: { ...node, ALERTS } })
  const program = runProgram(['start', folder, '--json'], { env })
  onTestFinished(() => void program.child.kill('SIGKILL'))
  await program.line((line) => line.includes('"event":"ready"'))
  const cli = async (...words: string[]) => {
    const run = runProgram([...words, '--dir', folder], { env })
    const code = await run.ended()
    return { code, text: run.stdout + run.stderr }
  }
  const file = join(folder, 'runners/andromeda/config.json')
  const right = await readFile(file, 'utf8')

  await writeFile(file, '{ "KEYWORDS": 3 }')
  program.child.kill('SIGHUP')
  await expect
    .poll(() => hook.notices, { timeout: 60_000 })
    .toMatchObject([{ alert: 'policy-refused', state: 'begun', summary: expect.stringContaining('KEYWORDS is 3') }])
  const wrong = await cli('alert', 'ls')
  expect(wrong).toMatchObject({
    code: 0,
    text: expect.stringMatching(/policy-refused +webhook http:\/\/127.0.0.1:\d+ +wrong/),
  })

  await writeFile(file, right)
  program.child.kill('SIGHUP')
  await expect.poll(() => hook.notices.at(-1), { timeout: 60_000 }).toMatchObject({ state: 'cleared' })

  hook.status = 404
  const refused = await cli('alert', 'test', 'policy-refused')
  expect(refused.code).not.toBe(0)
  expect(refused.text).toContain('the test was not delivered: it answers HTTP 404')
  const after = await cli('alert', 'ls')
  expect(after.text).toMatch(/policy-refused .* ok +test, not delivered: it answers HTTP 404 \(attempt 1\)/)
  expect((await cli('doctor')).text).toMatch(
    /warn +alerts .*"policy-refused" did not take the last notice: it answers HTTP 404/,
  )
  expect(wrong.text + after.text + program.stdout + program.stderr).not.toContain('secret')
}, 240_000)

import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { cidOfBytes, parseCid } from '../../../protocols/encoding.ts'
import { packFiles } from '../../fixtures/code/stores.ts'
import { testNodeCode } from '../../fixtures/node/node-code.ts'
import { test as base } from '../../fixtures/program/shell.ts'

/** A node that runs "web"; its neighbour has one more code. */
const test = base.extend('shell', async ({ withNode }) => {
  const other = await testNodeCode()
  const here = await testNodeCode({ other: other.serve })
  withNode.node.code = here.nodeCode
  const add = async (to: typeof here, content: string) =>
    (
      await to.addTar(
        packFiles([
          { path: 'bin/run', content: '#!/bin/sh', executable: true },
          { path: 'data', content },
        ]),
      )
    ).code
  const [used, unused, elsewhere] = [await add(here, 'used'), await add(here, 'unused'), await add(other, 'elsewhere')]
  here.uses.push({ id: 'id-web', name: 'web', code: used.toString(), state: 'running' })
  return { ...withNode, here, used: used.toString(), unused: unused.toString(), elsewhere: elsewhere.toString() }
})

test('code ls and why: what is there, from where, and who needs it', async ({ shell }) => {
  const { stdout } = await shell.run('code ls')
  expect(stdout).toMatch(new RegExp(`${shell.used} +\\d.*complete +\\S.* local +web\n`))
  expect(stdout).toMatch(new RegExp(`${shell.unused} .* local +-\n`))
  expect(stdout).toMatch(/^2 codes use .* of .*, with unpacked files \(QUOTAS\.CODE_STORE\)$/m)
  const why = await shell.run(`code why ${shell.used}`)
  expect(why.stdout).toMatch(/from: +this node, .*\n[\s\S]*web +running +yes[\s\S]*It stays: a service here needs it/)
  expect((await shell.run(`code why ${shell.unused}`)).stdout).toMatch(/Nothing here needs it: `thundercloud code gc`/)
  await shell.refused(`code why ${shell.elsewhere}`, /is not in the store, and no service here names it/, { code: 1 })
  await shell.refused('code why nonsense', /"nonsense" is not a content id/)
  await shell.refused('code why bafyreaaaa', /no code that this node has or knows of begins with "bafyreaaaa"/, {
    code: 1,
  })
  const image = cidOfBytes(new Uint8Array(4)).toString()
  await shell.refused(`code get ${image}`, /is a Docker image, not a folder; `docker save`/)
})

test('damaged code that is in use: verify, ls and why say that it is fetched again, and how that goes', async ({
  shell,
}) => {
  const code = parseCid(shell.used)
  using _pin = shell.here.store.pin(code)
  writeFileSync(shell.here.store.paths(code).tar, 'x'.repeat(3072))
  const verify = await shell.run('code verify')
  expect(verify.stdout).toMatch(/chunk 0 is damaged on this disk; in use; fetching it again\n/)
  expect(verify.code).toBe(1)
  const failed = /it could not be fetched again: no peer [^;]*; next attempt in [0-9.]+ s/
  await expect.poll(async () => (await shell.run('code ls')).stdout).toMatch(failed)
  expect((await shell.run('code ls')).stdout).toMatch(new RegExp(`${shell.used} .* damaged .* web\n`))
  expect((await shell.run(`code why ${shell.used}`)).stdout).toMatch(/state: +damaged\n/)
  expect((await shell.run(`code why ${shell.used}`)).stdout).toMatch(failed)
  expect((await shell.run('code verify')).stdout).toMatch(failed)
})

test('explain: the code is here, and where from; a source that was refused, and the next; a checksum that is weak', async ({
  shell,
}) => {
  const id = await shell.receive()
  const { explain } = shell.node
  const [good, evil] = ['the npm package good 1.0.0', 'https://evil.example/a.tgz']
  const provenance = { from: 'registry', source: good, checksum: 'none', at: 1, ms: 1500 } as const
  const failures = [
    { source: evil, problem: 'evil.example:443 is not among the hosts\u001b[2J', next: good },
    { source: good, problem: `${good}: it answers 503` },
  ]
  const show = async (code: object) => {
    shell.node.explain = async (service) => {
      const explained = await explain(service)
      return { ...explained, code: { ...explained.code, ...code } }
    }
    return (await shell.run('explain hello')).stdout
  }
  const shown = await show({ state: 'complete', bytes: 2048, provenance, failures })
  expect(shown).toMatch(
    /^Its code: here, 2 KiB, from registry \(the npm package good 1\.0\.0, of which the registry gives no checksum\), .* ago, in 1\.5 s\.$/m,
  )
  expect(shown).toContain(`  failed: ${evil}: evil.example:443 is not among the hosts\ufffd[2J; next: ${good}\n`)
  expect(shown).toContain(`  failed: ${good}: it answers 503\n`)
  expect((await shell.json('explain hello')).values[0]).toMatchObject({
    code: { code: shell.node.service(id).code, state: 'complete', bytes: 2048, provenance, failures },
  })
  expect(await show({ state: 'complete', bytes: 2048 })).toMatch(/^Its code: here, 2 KiB; none of its own sources/m)
  expect(await show({ state: 'fetching' })).toMatch(/^Its code: being fetched\.$/m)
  const waits = "two of this author's are under way"
  expect(await show({ state: 'fetching', waits })).toMatch(
    /^Its code: waiting for a download: two of this author's are/m,
  )
  expect(await show({ state: 'partial', bytes: 2048 })).toMatch(/^Its code: here in part, 2 KiB in all\.$/m)
  expect(await show({ state: 'damaged', bytes: 2048 })).toMatch(/^Its code: damaged on this disk, 2 KiB, and fetched/m)
  expect(await show({})).toMatch(/^Its code: not here\.$/m)
})

test('code gc: --dry-run shows it, gc does it', async ({ shell }) => {
  expect((await shell.run('code gc --dry-run')).stdout).toMatch(/would remove .*\nWould remove 1 code, \d/)
  expect((await shell.json('code gc')).values).toEqual([
    { dryRun: false, bytes: 3072, removed: [{ code: shell.unused, bytes: 3072 }] },
  ])
  expect((await shell.run('code gc')).stdout).toMatch(/^Nothing to remove: no code is here that no service needs/)
})

test('code verify: exit code 1 and the ids where the disk lost something', async ({ shell }) => {
  expect(await shell.run('code verify')).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(/2 codes are intact/),
  })
  truncateSync(shell.here.store.paths(parseCid(shell.unused)).tar, 100)
  expect(await shell.run(`code verify ${shell.used}`)).toMatchObject({ code: 0 })
  const { code, stdout, stderr } = await shell.run('code verify')
  expect([code, stdout]).toEqual([1, expect.stringMatching(new RegExp(`^${shell.unused}: .*; removed\n$`))])
  expect(stderr).toMatch(/damaged on this disk: 1 of 2/)
})

test('code get: a folder or a tar, also of code that the node has to fetch', async ({ shell }) => {
  const got = await shell.run(`code get ${shell.elsewhere} out-of-peers`)
  expect(got).toMatchObject({ code: 0, stderr: `the node fetches ${shell.elsewhere}, for a minute at most\n` })
  const { values } = await shell.json(`code get ${shell.elsewhere} out`)
  expect(values).toMatchObject([{ code: shell.elsewhere, path: shell.path('out'), as: 'folder', files: 2 }])
  expect(readFileSync(shell.path('out/data'), 'utf8')).toBe('elsewhere')
  const modes = ['out/data', 'out/bin/run'].map((path) => statSync(shell.path(path)).mode & 0o777)
  expect(modes).toEqual([0o644, 0o755])
  expect(await shell.run(`code get ${shell.used} out.tar`)).toMatchObject({ code: 0 })
  expect(readFileSync(shell.path('out.tar')).subarray(0, 7).toString()).toBe('bin/run')
  await shell.run(`code get ${shell.used} --tar`)
  expect(readFileSync(shell.path(`${shell.used}.tar`))).toEqual(readFileSync(shell.path('out.tar')))
})

test('code get: what is there is not written over, and nothing half-written stays', async ({ shell }) => {
  writeFileSync(shell.path('file'), 'mine')
  await shell.refused(`code get ${shell.used} file`, /is there already; name another path/)
  expect(readFileSync(shell.path('file'), 'utf8')).toBe('mine')
  await shell.refused(`code get ${shell.used} no/where`, /mkdir -p/)
  // not even root can
  await shell.refused(`code get ${shell.used} /proc/code`, /nothing can be made in \/proc \(/)
  const before = readdirSync(shell.root)
  truncateSync(shell.here.store.paths(parseCid(shell.unused)).tar, 100)
  const { code, stderr } = await shell.run(`code get ${shell.unused} lost`)
  expect([code, stderr]).toEqual([1, expect.stringMatching(/lost a part of the code .* fetches it again/)])
  expect([existsSync(shell.path('lost')), readdirSync(shell.root)]).toEqual([false, before])
})

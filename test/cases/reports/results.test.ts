import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import { createLightPeer } from '../../../src/node/index.ts'
import { test, until } from '../../fixtures/program/pair.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

const leaving = (...outputs: string[]) => ({ manifest: { run: { kind: 'task', outputs } } })
const SCRIPT = `const fs = require('fs'); process.chdir('/work'); fs.mkdirSync('out/deep', { recursive: true })
  fs.writeFileSync('out/deep/answer.txt', '42'); fs.writeFileSync('out/big', Buffer.alloc(1.5 * 2 ** 20, 7))
  fs.symlinkSync('/etc/passwd', 'out/passwd'); fs.writeFileSync('secret', 'not asked for')`

type Reported = {
  readonly receipts: readonly { reasons: readonly { rule: string; outcome: string; message: string }[] }[]
}
const said = (view: Reported) =>
  view.receipts.flatMap(({ reasons }) => reasons).find(({ rule }) => rule === 'run:outputs')

describe.skipIf(!needs('bubblewrap'))('what a task leaves', () => {
  test('reaches its author: the receipt names it, and `results` fetches it', async ({ pair }) => {
    await pair.publish('left', SCRIPT, 0, leaving('out'))
    const view = await until(async () => {
      const now = await pair.view('left')
      return said(now) !== undefined && now
    }, 'the receipt names the results')
    expect(said(view)).toMatchObject({ outcome: 'pass', message: expect.stringMatching(/^bafy\w+: left out: 1 link$/) })

    const to = join(pair.root, 'fetched')
    const fetched = await pair.at(['results', 'left', '--to', to])
    expect(fetched.code, fetched.stderr).toBe(0)
    expect(fetched.values[0]).toMatchObject({ peerId: pair.worker.peerId, files: 2, detail: 'left out: 1 link' })
    expect(await readFile(join(to, 'out/deep/answer.txt'), 'utf8')).toBe('42')
    expect((await stat(join(to, 'out/big'))).size).toBe(1.5 * 2 ** 20)
    expect((await readdir(to, { recursive: true })).sort()).toEqual([
      'out',
      'out/big',
      'out/deep',
      'out/deep/answer.txt',
    ])

    // the operator of the node where it ran reads them there
    const here = await pair.atWorker(['results', 'left', '--to', join(pair.root, 'here')])
    expect(here.values[0], here.stderr).toMatchObject({ code: fetched.values[0]?.code, files: 2 })
    expect(here.values[0]).not.toHaveProperty('peerId')
    // nothing is written over
    expect(await pair.at(['results', 'left', '--to', to])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is there already'),
    })
  })

  test('reaches a publisher that has no node', async ({ pair }) => {
    const folder = join(pair.root, 'afar')
    await pair.publish('unused', 'process.exit(0)', 0, { manifest: { run: { kind: 'task' } } })
    await writeFile(join(pair.root, 'unused', 'main.js'), SCRIPT)
    const manifest = JSON.parse(await readFile(join(pair.root, 'unused', 'service.json'), 'utf8'))
    manifest.name = 'afar'
    manifest.run.outputs = ['out/deep', './secret']
    await writeFile(join(pair.root, 'unused', 'service.json'), JSON.stringify(manifest))
    const published = await pair.afar(['publish', join(pair.root, 'unused'), '--wait', '--timeout', '60s'])
    expect(published.code, published.stderr).toBe(0)
    const fetched = await pair.afar(['results', 'afar', '--to', folder])
    expect(fetched.code, fetched.stderr).toBe(0)
    expect((await readdir(folder, { recursive: true })).sort()).toEqual([
      'out',
      'out/deep',
      'out/deep/answer.txt',
      'secret',
    ])
  })

  test('is missed by name where it is not there: the task is done, and says so', async ({ pair }) => {
    await pair.publish('missing', SCRIPT, 0, leaving('out/deep', 'report.json'))
    await pair.publish('nothing', 'process.exit(0)', 0, leaving('report.json'))
    const reason = async (name: string) =>
      await until(async () => said(await pair.view(name)), `the receipt of ${name} says what is missing`)
    expect(await reason('missing')).toMatchObject({
      outcome: 'fail',
      message: expect.stringMatching(/^bafy\w+: no file at "report\.json"$/),
    })
    expect(await reason('nothing')).toMatchObject({
      outcome: 'fail',
      message: 'the outputs are not there: no file at "report.json"',
    })
    const refused = await pair.at(['results', 'nothing', '--to', join(pair.root, 'none')])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('no file at \\"report.json\\"')])
  })

  test('is for its author alone: not in the public status, in the archive stream, or without the right', async ({
    pair,
  }) => {
    await pair.publish('private', SCRIPT, 0, leaving('out'))
    const { id, receipts } = await pair.view('private')
    const code = (said({ receipts })?.message ?? '').split(':')[0] ?? ''
    expect(code).toMatch(/^bafy/)
    await using stranger = await createLightPeer(system, { network: 'test', join: pair.worker.multiaddrs })

    let answer = ''
    for await (const { body } of stranger.ask(parseCid(id), { signal: AbortSignal.timeout(45_000) })) {
      if (body.state === 'done') answer = JSON.stringify(body.reasons)
      if (answer !== '') break
    }
    expect(answer).toContain('exit code 0')
    for (const secret of ['run:outputs', code]) expect(answer).not.toContain(secret)
    for await (const holder of stranger.holders(parseCid(code), { signal: AbortSignal.timeout(5_000) })) {
      throw new Error(`${holder} serves results as code`)
    }

    await expect(stranger.resultsAt(pair.worker.peerId, parseCid(id))).rejects.toThrow("need the author's token")
  })

  test('is for whom its author lets, for the key that the token names alone, without a node', async ({ pair }) => {
    await pair.publish('shared', SCRIPT, 0, leaving('out/deep'))
    const { id } = await until(async () => {
      const now = await pair.view('shared')
      return said(now) !== undefined && now
    }, 'the receipt names the results')
    const [key, access] = [join(pair.root, 'other.pem'), join(pair.root, 'shared.access')]
    const other = await pair.at(['key', 'new', '--key', key])
    const fetching = (to: string, ...more: string[]) =>
      pair.afar(['results', id, '--node', pair.worker.peerId, '--to', join(pair.root, to), ...more])
    const tokenFor = async (address: unknown, right: string) => {
      const made = await pair.at(['access', 'new', 'shared', String(address), '--right', right])
      expect(made.code, made.stderr).toBe(0)
      await writeFile(access, String(made.values[0]?.token))
      return Buffer.from(String(made.values[0]?.token), 'base64url')
    }

    expect(await fetching('no token', '--key', key)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not the access signature of this author'),
    })
    const token = await tokenFor(other.values[0]?.address, 'results')
    const fetched = await fetching('lent', '--key', key, '--access', access)
    expect(fetched.code, fetched.stderr).toBe(0)
    expect(await readFile(join(pair.root, 'lent', 'out/deep/answer.txt'), 'utf8')).toBe('42')
    // whoever else has the file gets nothing with it, here or at the node
    expect((await fetching('stolen', '--access', access)).code).toBe(2)
    const mesh = { network: 'test', join: pair.worker.multiaddrs }
    await expect(createLightPeer(system, { ...mesh, access: token })).rejects.toThrow('is for')

    await tokenFor(other.values[0]?.address, 'logs')
    const logs = await pair.afar(['logs', id, '--key', key, '--access', access])
    expect(logs.code, logs.stderr).toBe(0)
  })

  test('is kept by a node that was killed while the task ran, once it is back', async ({ pair }) => {
    const slow = `setTimeout(() => { ${SCRIPT} }, 4000)`
    const publishing = pair.publish('killed', slow, 0, leaving('out/deep'))
    const { id } = await until(async () => {
      const view = await pair.view('killed', 'atWorker').catch(() => undefined)
      return view?.run?.state === 'running' && view
    }, 'the task runs')
    await pair.kill('worker')
    const runs = join(pair.root, 'worker/data/runs')
    await until(
      async () => (await readdir(runs, { recursive: true })).some((path) => path.endsWith('end.json')),
      'it ends',
    )
    expect(await readdir(join(pair.root, 'worker/data/results'))).not.toContain(id)

    const worker = await pair.start('worker')
    await publishing
    expect(await until(async () => said(await pair.view('killed')), 'the receipt names the results')).toMatchObject({
      outcome: 'pass',
    })
    const fetched = await pair.at(['results', 'killed', '--node', worker.peerId, '--to', join(pair.root, 'after')])
    expect(fetched.values[0], fetched.stderr).toMatchObject({ files: 1, peerId: worker.peerId })
    await until(async () => (await readdir(runs)).length === 0, 'nothing of the run is left')
  })
})

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { createHostExecutor } from '../../../src/execution/index.ts'
import type { Scanner } from '../../../src/hub/index.ts'
import { reportOf } from '../../../src/hub/scanner.ts'
import { openScanBox } from '../../../src/node/wiring/hub/sandbox.ts'
import { makeRunDirs, planFor, type RunDirs, until } from '../../fixtures/execution/run-fixture.ts'
import { scanBox, scanner, shell } from '../../fixtures/trust/scan-box.ts'
import { codeFolder } from '../../fixtures/trust/signatures.ts'
import { needs } from '../../require.ts'

describe.skipIf(!needs('bubblewrap'))('a scanner in the sandbox', () => {
  let dirs: RunDirs & AsyncDisposable
  let box: Awaited<ReturnType<typeof scanBox>>
  let code: { dir: string } & AsyncDisposable
  beforeAll(async () => {
    dirs = await makeRunDirs()
    box = await scanBox(dirs.base)
    code = await codeFolder({ 'main.js': 'console.log(1)\n' })
  })
  afterAll(async () => {
    await code[Symbol.asyncDispose]()
    await dirs[Symbol.asyncDispose]()
  })

  const report = async (one: Scanner) => {
    const said = reportOf(one, await box.scan(one, code.dir, { name: 'hello' }))
    expect(await box.left()).toEqual([])
    return said
  }

  it('sees the code, the description and what it is shown, and says what it found', async () => {
    const shows = [{ path: import.meta.filename, as: '/etc/rules/here/rules.txt' }]
    const script =
      'cat $THUNDERCLOUD_SERVICE | tr -d "\\n "; echo; ls $THUNDERCLOUD_CODE; head -c 6 /etc/rules/here/rules.txt; echo; pwd; exit 1'
    expect(await report(shell(script, { shows }))).toEqual({
      is: 'found',
      severity: 'high',
      findings: ['mine: {"name":"hello"}', 'mine: main.js', 'mine: import', 'mine: /code'],
    })
  })

  it('is ended in its time', async () => {
    const started = Date.now()
    expect(await report(shell('echo begun; sleep 300', { timeoutMs: 1000 }))).toEqual({
      is: 'failed',
      reason: 'mine did not end within 1 s, and was ended',
    })
    expect(Date.now() - started).toBeLessThan(15_000)
  })

  it('crashes: one sentence', async () => {
    expect(await report(shell('kill -SEGV $$'))).toEqual({ is: 'failed', reason: 'mine was ended by signal 11' })
    expect(await report(shell('exit 2'))).toEqual({
      is: 'failed',
      reason: 'mine ended with exit code 2, which means neither "nothing found" (0) nor "found" (1)',
    })
    expect((await report(scanner(['no-such-program']))).is).toBe('failed')
    // an error that nobody catches, in Node as in other languages
    expect(await report(scanner(['node', '-e', 'throw new Error("what is this")']))).toEqual({
      is: 'failed',
      reason: 'mine ended with exit code 1 ("found"), and named nothing that it found: Error: what is this',
    })
  })

  it('needs too much memory', async () => {
    const eat = 'const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1))'
    const said = await report(scanner(['node', '-e', eat], { memoryBytes: 96 * 2 ** 20 }))
    expect(said.is).toBe('failed')
    expect(JSON.stringify(said)).toMatch(/more than its 96 MiB of memory|was ended by signal|exit code/)
  })

  it('floods: it is ended soon, and little is kept', async () => {
    const started = Date.now()
    expect(await report(shell('head -c 4G /dev/zero | tr "\\\\0" x; exit 0', { timeoutMs: 60_000 }))).toEqual({
      is: 'failed',
      reason: 'mine wrote more than anyone reads, and was ended',
    })
    expect(Date.now() - started).toBeLessThan(20_000)
  })

  it('has no network', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('hello')).listen(0, '0.0.0.0')
    try {
      await new Promise((resolve) => server.once('listening', resolve))
      const { port } = server.address() as { port: number }
      const connect = `require('node:net').connect(${port}, '127.0.0.1').on('error', (e) => console.log(e.code)).on('connect', () => console.log('open'))`
      const { lines } = await box.scan(scanner(['node', '-e', connect]), code.dir)
      expect(lines).toEqual(['ECONNREFUSED'])
      expect(
        (await box.scan(shell('ls /sys/class/net 2>/dev/null; tail -n +3 /proc/net/dev | cut -d: -f1'), code.dir))
          .lines,
      ).toEqual(['    lo'])
    } finally {
      server.close()
    }
  })

  it('changes nothing', async () => {
    const script =
      'echo bad > /code/main.js; echo bad > /code/new; echo bad > $THUNDERCLOUD_SERVICE; touch /usr/bad; exit 0'
    expect(await report(shell(`${script} 2>/dev/null`))).toEqual({ is: 'clean', findings: [] })
    expect(await readdir(code.dir)).toEqual(['main.js'])
    expect(await readFile(`${code.dir}/main.js`, 'utf8')).toBe('console.log(1)\n')
  })

  it('forks, and leaves no process', async () => {
    const name = `3000.${process.pid}`
    await report(shell(`for i in 1 2 3 4; do sleep ${name} & done; sleep 0.2; exit 0`))
    const bomb = 'f() { f | f & }; f 2>/dev/null; sleep 1; exit 0'
    await report(shell(bomb, { timeoutMs: 4000 }))
    expect(await commandsWith(name)).toEqual([])
  })

  it('is refused where there is no sandbox of the host', async () => {
    const init = {
      nodeId: 'none',
      runtimeDir: join(dirs.base, 's'),
      dir: join(dirs.base, 'none'),
      bubblewrap: '/none/bwrap',
    }
    const opened = openScanBox({ clock: systemClock(), rng: systemRng(), log: silentLog() }, init)
    await expect(opened).rejects.toThrow(
      'a hub scans code in a sandbox only: /none/bwrap is not installed: install bubblewrap (Debian: apt-get install bubblewrap; Fedora: dnf install bubblewrap)',
    )
    const logs = { maxBytes: 1000, keep: 1 }
    const weak = createHostExecutor(
      { clock: systemClock(), log: silentLog() },
      { ...init, logs, ownAddress: 'own', runsDir: dirs.runs },
    )
    const plan = await planFor(weak, dirs, '', { author: 'own', readOnlyMounts: [{ path: '/etc', as: '/etc' }] })
    await expect(weak.start(plan)).rejects.toThrow('this service runs in a sandbox only')
  })

  it('is ended when the hub is', async () => {
    const controller = new AbortController()
    const scanning = box.scan(shell('sleep 300'), code.dir, {}, controller.signal)
    setTimeout(() => controller.abort(new Error('enough')), 300)
    await expect(scanning).rejects.toThrow('enough')
    expect(await box.left()).toEqual([])
  })

  it('is ended, and its remains removed, by the next life of a hub that was killed', async () => {
    await using other = await makeRunDirs()
    const mark = `2000.${process.pid}`
    const fixture = new URL('../../fixtures/trust/scan-box.ts', import.meta.url).href
    const script = `
      const { scanBox, shell } = await import('${fixture}')
      setInterval(() => {}, 1000)
      const box = await scanBox('${other.base}', 'killed-${process.pid}')
      await box.scan(shell('sleep ${mark}'), '${code.dir}')`
    const args = ['--conditions=thundercloud-source', '--input-type=module', '-e', script]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    const gone = once(child, 'exit')
    const scanning = async () => (await commandsWith(mark)).filter((line) => line.startsWith('sleep'))
    await until(async () => (await scanning()).length > 0)
    child.kill('SIGKILL')
    expect(await gone).toEqual([null, 'SIGKILL'])
    // the keeper goes on: somebody has to end it
    expect((await scanning()).length).toBeGreaterThan(0)
    const next = await scanBox(other.base, `killed-${process.pid}`)
    expect(await next.left()).toEqual([])
    expect(await scanning()).toEqual([])
    expect(await readdir(join(other.base, 's')).catch(() => [])).toEqual([])
    expect((await next.scan(shell('echo fine'), code.dir)).lines).toEqual(['fine'])
  })

  it.skipIf(!needs('root'))('works for a hub that is not root', async () => {
    const fixture = new URL('../../fixtures/trust/scan-box.ts', import.meta.url).href
    const script = `
      const { mkdtemp, rm, writeFile } = await import('node:fs/promises')
      const { scanBox, shell } = await import('${fixture}')
      const alive = setInterval(() => {}, 1000)
      const base = await mkdtemp('/tmp/tc-user-')
      await writeFile(base + '/rules', 'rule')
      const box = await scanBox(base, 'user-${process.pid}')
      const shows = [{ path: base + '/rules', as: base + '/rules' }]
      const seen = await box.scan(shell('cat $THUNDERCLOUD_SERVICE ' + base + '/rules; ls /code; exit 1', { shows }), '${code.dir}', 7)
      const slow = await box.scan(shell('sleep 300', { timeoutMs: 1000 }), '${code.dir}')
      console.log(JSON.stringify({ seen, slow, left: await box.left() }))
      await rm(base, { recursive: true })
      clearInterval(alive)`
    const user = { uid: 1000, gid: 1000, env: { PATH: process.env.PATH ?? '', HOME: '/tmp' } }
    const readable = ['-e', `require('fs').readFileSync(new URL('${fixture}'))`]
    // the repository may lie where no other user may look
    if (spawnSync(process.execPath, readable, user).status !== 0) return
    const args = ['--conditions=thundercloud-source', '--input-type=module', '-e', script]
    const { stdout, stderr } = spawnSync(process.execPath, args, { ...user, encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      seen: { exitCode: 1, reason: 'exit', lines: ['7', 'rulemain.js'] },
      slow: { reason: 'timeout' },
      left: [],
    })
  })
})

/** Command lines of this machine's processes that have this in them, their words parted by spaces. */
async function commandsWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((pid) => /^\d+$/.test(pid))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')))
  return lines.map((line) => line.replaceAll('\0', ' ')).filter((line) => line.includes(text))
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Scanner } from '../../../src/hub/index.ts'
import { reportOf } from '../../../src/hub/scanner.ts'
import { openScanSandbox } from '../../../src/node/wiring/hub/sandbox.ts'
import { hostExecutor, NO_BUBBLEWRAP } from '../../fixtures/execution/executors.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { makeRunDirs, planFor, until } from '../../fixtures/execution/run-fixture.ts'
import { listen } from '../../fixtures/net.ts'
import { processes } from '../../fixtures/process/proc.ts'
import { canRead, ORDINARY, reportOf as printedBy } from '../../fixtures/process/report.ts'
import { system } from '../../fixtures/system.ts'
import { scanBox, scanner, shell } from '../../fixtures/trust/scan-sandbox.ts'
import { codeFolder } from '../../fixtures/trust/signatures.ts'
import { needs } from '../../require.ts'

const FIXTURE = new URL('../../fixtures/trust/scan-sandbox.ts', import.meta.url).href

/** Command lines of this machine's processes that have this in them. */
const commandsWith = (text: string) =>
  processes()
    .map(({ words }) => words.join(' '))
    .filter((line) => line.includes(text))

describe.skipIf(!needs('bubblewrap'))('a scanner in the sandbox', () => {
  const dirs = runDirs()
  let box: Awaited<ReturnType<typeof scanBox>>
  let code: Awaited<ReturnType<typeof codeFolder>>
  beforeAll(async () => {
    box = await scanBox(dirs.base)
    code = await codeFolder({ 'main.js': 'console.log(1)\n' })
  })
  afterAll(() => code[Symbol.asyncDispose]())

  const report = async (one: Scanner) => {
    const said = reportOf(one, await box.scan(one, code.dir, { name: 'hello' }))
    expect(await box.left()).toEqual([])
    return said
  }

  const failed = (reason: string) => ({ is: 'failed', reason })

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
    const said = await report(shell('echo begun; sleep 300', { timeoutMs: 1000 }))
    expect(said).toEqual(failed('mine did not end within 1 s, and was ended'))
    expect(Date.now() - started).toBeLessThan(15_000)
  })

  it.each([
    [shell('kill -SEGV $$'), 'mine was ended by signal 11'],
    [shell('exit 2'), 'mine ended with exit code 2, which means neither "nothing found" (0) nor "found" (1)'],
    // an uncaught error, in Node as in other languages
    [
      scanner(['node', '-e', 'throw new Error("what is this")']),
      'mine ended with exit code 1 ("found"), and named nothing that it found: Error: what is this',
    ],
    [scanner(['no-such-program']), expect.any(String)],
  ])('crashes (%j): one sentence', async (one, reason) => {
    expect(await report(one)).toEqual(failed(reason))
  })

  it('needs too much memory', async () => {
    const eat = 'const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1))'
    const said = await report(scanner(['node', '-e', eat], { memoryBytes: 96 * 2 ** 20 }))
    expect(said.is).toBe('failed')
    expect(JSON.stringify(said)).toMatch(/more than its 96 MiB of memory|was ended by signal|exit code/)
  })

  it('floods: it is ended soon, and little is kept', async () => {
    const started = Date.now()
    const said = await report(shell('head -c 4G /dev/zero | tr "\\\\0" x; exit 0', { timeoutMs: 60_000 }))
    expect(said).toEqual(failed('mine wrote more than anyone reads, and was ended'))
    expect(Date.now() - started).toBeLessThan(20_000)
  })

  it('has no network', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('hello'))
    try {
      const port = await listen(server)
      const connect = `require('node:net').connect(${port}, '127.0.0.1').on('error', (e) => console.log(e.code)).on('connect', () => console.log('open'))`
      const { lines } = await box.scan(scanner(['node', '-e', connect]), code.dir)
      expect(lines).toEqual(['ECONNREFUSED'])
      const devices = shell('ls /sys/class/net 2>/dev/null; tail -n +3 /proc/net/dev | cut -d: -f1')
      expect((await box.scan(devices, code.dir)).lines).toEqual(['    lo'])
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
    expect(commandsWith(name)).toEqual([])
  })

  it('is refused where there is no sandbox of the host', async () => {
    const places = { nodeId: 'none', runtimeDir: join(dirs.base, 's'), dir: join(dirs.base, 'none') }
    await expect(openScanSandbox(system, { ...places, bubblewrap: '/none/bwrap' })).rejects.toThrow(
      'a hub scans code in a sandbox only: /none/bwrap is not installed: install bubblewrap (Debian: apt-get install bubblewrap; Fedora: dnf install bubblewrap)',
    )
    const weak = hostExecutor(dirs, NO_BUBBLEWRAP)
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
    const script = `
      const { scanBox, shell } = await import('${FIXTURE}')
      setInterval(() => {}, 1000)
      const box = await scanBox('${other.base}', 'killed-${process.pid}')
      await box.scan(shell('sleep ${mark}'), '${code.dir}')`
    const args = ['--conditions=thundercloud-source', '--input-type=module', '-e', script]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    const gone = once(child, 'exit')
    const scanning = () => commandsWith(mark).filter((line) => line.startsWith('sleep'))
    await until(async () => scanning().length > 0)
    child.kill('SIGKILL')
    expect(await gone).toEqual([null, 'SIGKILL'])
    // the shim goes on: something has to end it
    expect(scanning().length).toBeGreaterThan(0)
    const next = await scanBox(other.base, `killed-${process.pid}`)
    expect(await next.left()).toEqual([])
    expect(scanning()).toEqual([])
    expect(await readdir(join(other.base, 's')).catch(() => [])).toEqual([])
    expect((await next.scan(shell('echo fine'), code.dir)).lines).toEqual(['fine'])
  })

  it.skipIf(!needs('root') || !canRead(ORDINARY))('works for a hub that is not root', async () => {
    const script = `
      const { mkdtemp, rm, writeFile } = await import('node:fs/promises')
      const { scanBox, shell } = await import('${FIXTURE}')
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
    expect(printedBy(script, { ...ORDINARY, quiet: true })).toMatchObject({
      seen: { exitCode: 1, reason: 'exit', lines: ['7', 'rulemain.js'] },
      slow: { reason: 'timeout' },
      left: [],
    })
  })
})

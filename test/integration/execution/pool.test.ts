import { chmod, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine } from '../../../src/execution/docker/engine.ts'
import { type TarEntry, tarOf } from '../../../src/execution/docker/images/image-tar.ts'
import { librariesOf } from '../../../src/execution/docker/images/libraries.ts'
import { followProgress } from '../../../src/execution/docker/images/node-image.ts'
import type { Plan, PoolExecutor, Run } from '../../../src/execution/index.ts'
import { dockerExecutor, poolExecutor } from '../../fixtures/execution/executors.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { linesOf, MIB, planFor, runToEnd, until } from '../../fixtures/execution/run-fixture.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

const OWNER = 'WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq'
const OTHER = '7HHKSu9BNF7GuB3CX8BbUEzx9pp1SqLksigvfMZz9hop'
const NAME = `pool${process.pid}-${OWNER}-node.js`
const SPEC = { name: NAME, image: 'thundercloud/node', memoryBytes: 512 * MIB, cpuMillicores: 2000, pids: 256 }
const READY = `;console.log('ready'); setInterval(() => {}, 1000)`

describe.skipIf(!needs('engine'))('a pool', () => {
  const dirs = runDirs()
  let executor: PoolExecutor
  const plan = (script: string, change = {}) =>
    planFor(executor, dirs, script, { author: OWNER, grant: { pool: NAME }, ...change })
  const says = ({ logDir }: Plan, line: string) => until(async () => (await linesOf(logDir)).out.includes(line))
  /** A run that is ready while another runs to its end beside it. */
  const beside = async (first: string, second: string) => {
    const [a, b] = [await plan(first + READY), await plan(second)]
    const run = await executor.start(a)
    try {
      await says(a, 'ready')
      return { outcome: await runToEnd(executor, b), first: a, run }
    } finally {
      await executor.remove(run.handle)
    }
  }
  const engine = createEngine({}, system.clock)
  const inPool = async <T>(call: (container: Docker.Container) => Promise<T>, name = NAME) => {
    const filters = { label: [`thundercloud.pool=${name}`] }
    const [found] = await engine.ask((docker) => docker.listContainers({ all: true, filters }))
    return await engine.ask((docker) => call(docker.getContainer(found?.Id ?? '')))
  }
  /** What runs in the container now, as [pid, command line]. */
  const all = async (name = NAME) => {
    const top = (pool: Docker.Container) => pool.top({ ps_args: '-eo pid,args' })
    return (await inPool<{ Processes: string[][] }>(top, name)).Processes
  }
  /** The same, but for what keeps it. */
  const processes = async () => (await all()).filter(([, line = '']) => /main\.js|sleep [1-9]/.test(line))
  /** What began a run, as root, ends a moment after it. */
  const gone = () => until(async () => (await processes()).length === 0)

  beforeAll(async () => {
    executor = poolExecutor(dirs)
    await executor.pools.create(SPEC)
  }, 180_000)
  afterAll(async () => {
    await executor.pools.remove(NAME, { force: true })
    await executor[Symbol.asyncDispose]()
  })

  describe('keeps its runs apart', () => {
    it('shows none another: no file, no process, no port, no message queue', async () => {
      const first = `require('fs').writeFileSync('/work/secret', 'x'); require('fs').writeFileSync('/dev/shm/secret', 'x'); require('net').createServer(s => s.end()).listen(4000)`
      const second = `const fs = require('fs'), list = dir => { try { return fs.readdirSync(dir) } catch (e) { return e.code } }
        require('net').connect(4000, '127.0.0.1').on('error', e => console.log(JSON.stringify({ port: e.code, work: list('/work'), shm: list('/dev/shm'), tmp: list('/tmp'),
          roots: ['runs', 'logs', 'code', 'run', 'log'].flatMap(name => list('/thundercloud/' + name)), pids: list('/proc').filter(n => n > 0).length }))).on('connect', () => console.log('{}'))`
      const { outcome } = await beside(first, second)
      expect(JSON.parse(outcome.out.join())).toMatchObject({
        port: 'ECONNREFUSED',
        work: [],
        shm: [],
        tmp: [],
        roots: [],
      })
      expect(JSON.parse(outcome.out.join()).pids).toBeLessThan(6)
    })

    it('lets none end another, its shim, or what keeps the pool', async () => {
      const all = `const own = require('fs').readdirSync('/proc/self/task').map(Number); for (let pid = 2; pid < 400; pid++) if (!own.includes(pid)) try { process.kill(pid, 'SIGKILL') } catch {}; try { process.kill(-1, 'SIGTERM') } catch {}`
      const { outcome, first } = await beside('', `process.on('SIGTERM', () => {}); ${all}; console.log('alive')`)
      expect(outcome.out).toEqual(['alive'])
      expect((await linesOf(first.logDir)).out).toEqual(['ready'])
      expect((await executor.pools.list()).find((pool) => pool.name === NAME)).toMatchObject({ running: true })
    })

    it('ends the run that takes all memory of the pool, and no other', async () => {
      const greedy = await plan('const kept = []; for (;;) kept.push(Buffer.alloc(8 * 1024 * 1024, 1))', {
        grant: { pool: NAME, memoryBytes: 2 ** 40 },
      })
      const calm = await plan(READY)
      const run = await executor.start(calm)
      await says(calm, 'ready')
      expect((await runToEnd(executor, greedy)).end).toMatchObject({
        reason: 'memory',
        detail: 'its pool had no memory left',
      })
      expect((await run.stats()).pids).toBeGreaterThan(0)
      await run.stop({ graceMs: 0 })
      expect(await run.wait()).toMatchObject({ reason: 'stopped' })
      await executor.remove(run.handle)
    })

    it('lets none write to its code, or make namespaces, mounts or devices', async () => {
      const { out } = await runToEnd(
        executor,
        await plan(`const fs = require('fs'), { spawnSync } = require('child_process')
          const tries = ['/code/x', '/thundercloud/tools/x', '/etc/x', '/proc/sys/kernel/hostname'].map(path => { try { fs.writeFileSync(path, 'x'); return 'written' } catch (e) { return e.code } })
          console.log(JSON.stringify([...tries, ...[['mount', '-t', 'tmpfs', 'none', '/tmp'], ['umount', '/code'], ['unshare', '-r', 'true'], ['unshare', '-m', 'true']].map(([tool, ...args]) =>
            spawnSync('/bin/sh', ['-c', 't=$(echo /thundercloud/tools/*); exec $t/lib/ld --library-path $t/lib $t/bin/' + tool + ' "$@"', 'sh', ...args]).status === 0)]))`),
      )
      const [code, tools, etc, sys, ...done] = JSON.parse(out.join())
      expect([code, tools, etc]).toEqual(['EROFS', 'EROFS', 'EROFS'])
      expect(sys).toMatch(/EROFS|EACCES/)
      expect(done).toEqual([false, false, false, false])
    })
  })

  describe('leaves nothing of a run', () => {
    const hide = `const { spawn } = require('child_process')
      process.on('SIGTERM', () => {}); const away = { detached: true, stdio: 'ignore' }
      spawn('/bin/sh', ['-c', '(trap "" TERM HUP; sleep 300 & sleep 301 & wait) &'], away).unref(); spawn('sleep', ['302'], away).unref()`

    it.each<[string, (run: Run) => Promise<void>]>([
      ['that is stopped, whatever it has put aside', (run) => run.stop({ graceMs: 100 })],
      ['that is removed while it runs', (run) => executor.remove(run.handle)],
    ])('%s', async (_, end) => {
      const hidden = await plan(hide + READY)
      const run = await executor.start(hidden)
      await says(hidden, 'ready')
      await until(async () => (await processes()).length > 4)
      await end(run)
      await run.wait().catch(() => {})
      await gone()
      await executor.remove(run.handle)
      expect(await executor.adopt()).toEqual([])
    })

    it('that ends by itself and leaves children behind', async () => {
      const { end } = await runToEnd(executor, await plan(`${hide}; setTimeout(() => process.exit(4), 300)`))
      expect(end).toMatchObject({ exitCode: 4, reason: 'exit' })
      await gone()
    })

    it('whose time is over while no node is there', async () => {
      const late = await plan(hide + READY, { lifetime: { afterMs: 700, graceMs: 0 } })
      const run = await executor.start(late)
      const end = await until(async () => (await executor.adopt()).find(({ state }) => state === 'ended'))
      expect(await end.run.wait()).toMatchObject({ reason: 'timeout' })
      await gone()
      await executor.remove(run.handle)
    })

    it('that put a link in the place of the file that names its process: the file behind it stays as it was', async () => {
      const ready = await plan(READY)
      const run = await executor.start(ready)
      await says(ready, 'ready')
      const { dir } = run.handle as { dir: string }
      const target = join(dirs.base, 'target')
      await writeFile(target, 'untouched')
      await rm(join(dir, 'status'))
      await symlink(target, join(dir, 'status'))
      const adopted = (await poolExecutor(dirs).adopt()).find(({ runId }) => runId === ready.runId)
      expect(await readFile(target, 'utf8')).toBe('untouched')
      // a run that hides its process is not one that goes on
      expect(adopted?.state).toBe('ended')
      await executor.remove(run.handle)
    })

    it('whose shim was killed: it has ended, and the next start or sweep ends the rest', async () => {
      const orphaned = await plan(READY)
      const run = await executor.start(orphaned)
      await says(orphaned, 'ready')
      const [shim] = (await all()).find(([, line]) => line?.includes('shim-main')) ?? []
      process.kill(Number(shim), 'SIGKILL')
      expect(await run.wait()).toMatchObject({ exitCode: 137, detail: expect.stringMatching(/ended from outside/) })
      const [found] = await executor.adopt()
      expect(found).toMatchObject({ runId: orphaned.runId, state: 'ended' })
      await executor.remove(found?.run.handle)
      await gone()
    })
  })

  it('that is stopped ends its runs, and starts again with the next', async () => {
    const lost = await plan(READY)
    const run = await executor.start(lost)
    await says(lost, 'ready')
    const ended = run.wait()
    await inPool((pool) => pool.stop({ t: 0 }))
    expect(await ended).toMatchObject({ detail: expect.stringMatching(/ended from outside/) })
    await executor.remove(run.handle)
    expect((await runToEnd(executor, await plan(`console.log('again')`))).out).toEqual(['again'])
  })

  it('has what it runs built with what is in it, in a container of its own', async () => {
    const command = ['node', '-e', `require('fs').writeFileSync('built.txt', 'made')`]
    const build = await plan('', { purpose: 'build', toolchain: ['python'], command })
    await chmod(build.codeDir ?? '', 0o777)
    expect((await runToEnd(executor, build)).end).toMatchObject({ exitCode: 0 })
    expect(await readFile(join(build.codeDir ?? '', 'built.txt'), 'utf8')).toBe('made')
    // no toolchain names an image of python here
    await expect(dockerExecutor(dirs).start(build)).rejects.toThrow(/no image is known for the toolchain python/)
  })

  it('serves its owner alone, and no image', async () => {
    await expect(plan('', { author: OTHER }).then((other) => executor.start(other))).rejects.toThrow(
      /belongs to another author/,
    )
    const image = await plan('', { image: { digest: 'sha256:0' } })
    await expect(executor.start(image)).rejects.toThrow(/runs in a container of its own/)
    const gone = await plan('', { grant: { pool: `gone-${OWNER}-node` } })
    await expect(executor.start(gone)).rejects.toThrow(/there is no pool gone-.*thundercloud pool create/)
    expect(await readdir(join(dirs.base, 'pools')).then((names) => names.length)).toBeGreaterThan(0)
  })

  it.each([
    ['a name without an owner', { name: 'web' }, /the pool's name "web" must be <group>-<owner address>/],
    ['an owner that is none', { name: 'web-abc-node' }, /names no usable owner/],
    [
      'an image that is not there',
      { name: `a-${OWNER}-node`, image: 'no/such' },
      /has no image "no\/such": type "docker pull no\/such" first/,
    ],
    ['too little memory', { name: `a-${OWNER}-node`, memoryBytes: MIB }, /memory \(--memory\) is 1 MiB/],
    ['a name that is taken', {}, /there is a pool .* already/],
  ])('is not made of %s', async (_, change, message) => {
    await expect(executor.pools.create({ ...SPEC, ...change })).rejects.toThrow(message)
    expect((await executor.pools.list()).map(({ name }) => name)).toEqual([NAME])
  })

  describe('of an image that means harm', () => {
    const UID = 62_000
    const EVIL = { ...SPEC, name: `evil-${OWNER}-node.js`, image: `tc-test/evil-${process.pid}:1` }
    /** The engine has it for as long as the test goes on. */
    async function evilImage(entries: TarEntry[], changes: string[] = []) {
      const [repo = '', tag = ''] = EVIL.image.split(':')
      const answer = await engine.ask((docker) =>
        docker.importImage(Readable.from(tarOf(entries)), { repo, tag, changes }),
      )
      await followProgress(engine, answer, 60_000)
      return {
        async [Symbol.asyncDispose]() {
          await executor.pools.remove(EVIL.name, { force: true }).catch(() => {})
          await engine.ask((docker) => docker.getImage(EVIL.image).remove({ force: true }))
        },
      }
    }

    it('begins its runs as if the image said nothing', async () => {
      const [library] = await librariesOf(process.execPath)
      const files: TarEntry[] = [
        { path: 'bin/sh', file: '/bin/busybox', mode: 0o755 },
        { path: 'bin/sleep', link: 'sh' },
        { path: 'evil.so', file: library?.file ?? '', mode: 0o755 },
        { path: 'evil.js', text: `require('fs').writeFileSync('/thundercloud/run/harm', '')`, mode: 0o644 },
        { path: 'etc/ld.so.preload', text: '/evil.so\n', mode: 0o644 },
        { path: 'etc/passwd', text: `${UID}:x:0:0::/:/bin/sh\n`, mode: 0o644 },
        { path: 'sbin/mount.tmpfs', text: '#!/bin/sh\necho > /thundercloud/logs/harm\n', mode: 0o755 },
      ]
      const changes = ['ENV LD_PRELOAD=/evil.so', 'ENV NODE_OPTIONS="--require /evil.js"', 'ENV OWN=kept']
      await using _ = await evilImage(files, changes)
      await executor.pools.create(EVIL)
      const script = `while read -r key id rest; do [ $key = Uid: ] && echo $id $OWN; done </proc/self/status; exec sleep 300`
      const command = ['/bin/sh', '-c', script]
      const about = await plan('', { uid: UID, grant: { pool: EVIL.name }, command })
      const run = await executor.start(about)
      try {
        await says(about, `${UID} kept`)
        const ours = (await all(EVIL.name)).filter(([, line]) => /infinity$|shim-main|unshare/.test(line ?? ''))
        expect(ours.length).toBeGreaterThan(2)
        const maps = await Promise.all(ours.map(([pid]) => readFile(`/proc/${pid}/maps`, 'utf8')))
        expect(maps.filter((text) => text.includes('evil'))).toEqual([])
        const { dir } = run.handle as { dir: string }
        expect(await readFile(join(dir, 'keeper.log'), 'utf8')).toBe('')
        expect([...(await readdir(dir)), ...(await readdir(dirs.logs))]).not.toContain('harm')
      } finally {
        await executor.remove(run.handle)
      }
    })

    it.each([
      ['thundercloud', 'code', '/thundercloud'],
      ['code', 'thundercloud/tools', '/code'],
      ['etc/ld.so.preload', '/code/x', '/etc/ld.so.preload'],
    ])('is not made where %s leads to %s', async (path, link, named) => {
      await using _ = await evilImage([{ path, link }])
      await expect(executor.pools.create(EVIL)).rejects.toThrow(`the image has a link at ${named}, where a pool mounts`)
    })
  })

  it('goes only when nothing runs in it, unless it is told to', async () => {
    const kept = await plan(READY)
    const run = await executor.start(kept)
    await says(kept, 'ready')
    expect(await executor.pools.list()).toMatchObject([{ name: NAME, services: [kept.service] }])
    await expect(executor.pools.remove(NAME)).rejects.toThrow(/1 service runs in the pool: stop it, or add --force/)
    await executor.remove(run.handle)
  })
})

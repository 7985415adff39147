import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UnavailableError } from '../../../src/base/errors.ts'
import { type DockerExecutorInit, EngineGoneError } from '../../../src/execution/index.ts'
import { EMPTY_FILES, UNLINKED } from '../../fixtures/code/hostile-builds.ts'
import { dockerExecutor } from '../../fixtures/execution/executors.ts'
import { createAuthority, type OwnEngine, startOwnEngine } from '../../fixtures/execution/isolated-docker.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { MIB, planFor, runToEnd, talk, until, writeCode } from '../../fixtures/execution/run-fixture.ts'
import { listen } from '../../fixtures/net.ts'
import { needs } from '../../require.ts'

const SERVER = `require('net').createServer({ allowHalfOpen: true }, s => s.on('error', () => {}).pipe(s)).listen(4000, '127.0.0.1')`

describe.skipIf(!needs('own-engine'))('an engine behind TLS', () => {
  let engine: OwnEngine
  const dirs = runDirs()
  beforeAll(async () => {
    engine = await startOwnEngine()
  })
  afterAll(() => engine[Symbol.asyncDispose]())

  const over = (docker: object = engine.config) => dockerExecutor(dirs, { docker })
  const sentence = async (change: object) => {
    await using executor = over({ ...engine.config, ...change })
    const { available, detail } = await executor.available()
    await expect(executor.adopt()).rejects.toThrow(EngineGoneError)
    return `${available} ${detail}`
  }

  it('answers a client with a certificate of its authority', async () => {
    await using executor = over()
    const detail = expect.stringContaining(`at 127.0.0.1:${engine.config.port}`)
    expect(await executor.available()).toMatchObject({ available: true, detail })
  })

  it('shows a run to its maker before anything of it is started, who may forbid it', async () => {
    const seen: string[] = []
    const beforeStart: DockerExecutorInit['beforeStart'] = ({ plan, run, gateway }) => {
      seen.push(run.State.Status, gateway.State.Status, `${run.HostConfig.Memory === plan.grant.memoryBytes}`)
      throw new UnavailableError('not so')
    }
    await using executor = dockerExecutor(dirs, { docker: engine.config, beforeStart })
    const plan = await planFor(executor, dirs, "console.log('began')")
    await expect(executor.start(plan)).rejects.toThrow('not so')
    expect(seen).toEqual(['created', 'running', 'true'])
    expect(await engine.left()).toEqual([])
  })

  it('says in one sentence what is wrong with the certificates', async () => {
    const { stranger, expired } = engine
    expect(await sentence({ ca: stranger.ca })).toMatch(/^false .* certificate that DOCKER_CONFIGS\.ca has not signed/)
    for (const other of [{ cert: stranger.cert, key: stranger.key }, expired, { cert: undefined, key: undefined }])
      expect(await sentence(other)).toMatch(/^false .* does not accept our certificate: DOCKER_CONFIGS\.cert must be/)
    expect(await sentence({ key: stranger.key })).toMatch(/^false DOCKER_CONFIGS\.key does not belong to/)
    expect(await sentence({ cert: 'no PEM' })).toMatch(/^false DOCKER_CONFIGS\.cert or key is no PEM/)
    expect(await sentence({ host: 'localhost' })).toMatch(/^false the certificate of .* is not for "localhost"/)
    const plain = { protocol: 'http', ca: undefined, cert: undefined, key: undefined }
    expect(await sentence(plain)).toMatch(/^false the Docker engine wants TLS: set DOCKER_CONFIGS\.protocol/)
  })

  it('says so when its own certificate has expired, or nothing listens there, or nothing that speaks TLS', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tc-tls-'))
    const authority = await createAuthority(dir)
    const old = await authority.sign('old', { days: -1 })
    const server = createServer(old, (_request, response) => response.end('{}'))
    const plain = createTcpServer((socket) => socket.on('error', () => {}).once('data', () => socket.end('what?')))
    try {
      const [port, plainPort] = await Promise.all([listen(server), listen(plain)])
      expect(await sentence({ port, ca: authority.ca })).toMatch(/^false the certificate of .* has expired: renew it/)
      const spoke = await sentence({ port: plainPort })
      expect(spoke).toMatch(/^false .* does not speak TLS: start dockerd with --tlsverify/)
    } finally {
      for (const one of [server, plain]) await new Promise((resolve) => one.close(resolve))
      await rm(dir, { recursive: true })
    }
    expect(await sentence({ port: 9 })).toMatch(/^false .*127\.0\.0\.1:9 is not there: start dockerd/)
    expect(await sentence({ host: 'nowhere.invalid' })).toMatch(/^false the name of .*nowhere\.invalid.* is not known/)
  })

  it('gets code as it is: names of any length, links, modes', async () => {
    await using executor = over()
    const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'ü'.repeat(100)}.txt`
    const script = `const fs = require('fs'), long = ${JSON.stringify(long)}
      console.log(JSON.stringify([fs.readFileSync(long, 'utf8'), fs.readlinkSync('link'), fs.readFileSync('link', 'utf8'), fs.statSync('run.sh').mode & 0o777]))`
    const plan = await planFor(executor, dirs, script)
    const codeDir = await writeCode(dirs, { 'main.js': script, [long]: 'far', 'run.sh': '' })
    await symlink(long, join(codeDir, 'link'))
    await chmod(join(codeDir, 'run.sh'), 0o755)
    const { end, out } = await runToEnd(executor, { ...plan, codeDir })
    expect(end).toMatchObject({ exitCode: 0 })
    expect(out.map((line) => JSON.parse(line))).toEqual([['far', long, 'far', 0o755]])
    expect(await engine.left()).toEqual([])
  })

  it('takes no empty file system for what a task left: where its gateway ended, that is gone', async () => {
    await using executor = over()
    const outputs = { paths: ['out'], maxBytes: MIB, maxEntries: 10 }
    const run = await executor.start(await planFor(executor, dirs, `require('fs').mkdirSync('/work/out')`, { outputs }))
    await run.wait()
    expect(await run.outputs?.(['out'])).toHaveProperty('paths')
    await engine.docker.getContainer((run.handle as { gateway: string }).gateway).restart({ t: 0 })
    expect(await run.outputs?.(['out'])).toEqual({ problem: expect.stringContaining('are gone') })
    await executor.remove(run.handle)
    expect(await engine.left()).toEqual([])
  })

  it('holds a build to its disk', async () => {
    await using executor = over()
    const build = async (script: string) => {
      const plan = await planFor(executor, dirs, script, { purpose: 'build', grant: { diskBytes: 8 * MIB } })
      return { ...(await runToEnd(executor, plan)).end, plan }
    }
    for (const script of [UNLINKED, EMPTY_FILES])
      expect(await build(script)).toMatchObject({
        exitCode: 1,
        detail: `the build wrote more than the ${8 * MIB} bytes or 16384 files of disk that were granted`,
      })
    const { exitCode, plan } = await build(`require('fs').writeFileSync('made', 'built')`)
    expect(exitCode).toBe(0)
    expect(await readFile(join(plan.codeDir as string, 'made'), 'utf8')).toBe('built')
    expect(await engine.left()).toEqual([])
  })

  it('keeps its gateways: one that lost its client accepts the next, one that hangs is noticed', async () => {
    await using first = over()
    const plan = await planFor(first, dirs, SERVER, { ports: [4000] })
    const run = await first.start(plan)
    const held = await run.connect(4000)
    held.write('half of a')
    await once(held, 'data')
    const gateway = engine.docker.getContainer(`thundercloud-${plan.runId}-gateway`)
    const { Id } = await gateway.inspect()

    await using second = over()
    const again = (await second.adopt()).find(({ runId }) => runId === plan.runId)?.run
    if (again === undefined) throw new Error('not found')
    const lost = new Promise((resolve) => held.on('close', resolve))
    expect(await talk(await again.connect(4000), 'hello')).toBe('hello')
    await first[Symbol.asyncDispose]()
    await lost
    expect((await gateway.inspect()).Id).toBe(Id)

    // A gateway that says nothing cannot be replaced under its run: it is recognized, and the supervisor begins again.
    await second[Symbol.asyncDispose]()
    const { Processes } = await gateway.top()
    process.kill(Number(Processes.at(-1)?.[1]), 'SIGSTOP')
    await using third = over()
    const last = (await third.adopt()).find(({ runId }) => runId === plan.runId)?.run
    expect(await last?.reachable?.()).toBe(false)
    await third.remove(run.handle)
    expect(await engine.left()).toEqual([])
  })

  it('carries much to many at once', async () => {
    await using executor = over()
    const run = await executor.start(await planFor(executor, dirs, SERVER, { ports: [4000] }))
    const text = 'abcdefgh'.repeat(MIB / 2)
    const sent = Array.from({ length: 8 }, (_, n) => `${n}${text}`)
    const all = await Promise.all(sent.map(async (one) => talk(await run.connect(4000), one)))
    expect(all.map((answer, n) => answer === sent[n])).toEqual(Array(8).fill(true))
    await executor.remove(run.handle)
  })

  it('that dies under a run is reported, and what it leaves is cleared away when it is back', async () => {
    await using executor = over()
    const plan = await planFor(executor, dirs, 'setInterval(() => {}, 1000)')
    const run = await executor.start(plan)
    const waiting = expect(run.wait()).rejects.toThrow(EngineGoneError)
    await engine.kill()
    await waiting
    await expect(run.stop({ graceMs: 0 })).rejects.toThrow(/is not there: start dockerd/)
    expect(await executor.available()).toMatchObject({ available: false })
    await engine.start()
    const found = await until(async () => (await executor.adopt()).find(({ runId }) => runId === plan.runId))
    await executor.remove(found.run.handle)
    expect(await engine.left()).toEqual([])
  })
})

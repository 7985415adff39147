import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { manualClock, systemClock } from '../../../src/base/clock.ts'
import { createEngine } from '../../../src/execution/docker/engine.ts'
import { createLoadedImages } from '../../../src/execution/docker/loaded-images.ts'
import { nodeImageTag } from '../../../src/execution/docker/node-image.ts'
import { type DockerExecutorInit, EngineGoneError, type Plan, RunRefusedError } from '../../../src/execution/index.ts'
import { startDockerRegistry } from '../../fixtures/code/docker-registry.ts'
import { EMPTY_FILES, UNLINKED } from '../../fixtures/code/hostile-builds.ts'
import { dockerExecutor } from '../../fixtures/execution/executors.ts'
import { digestOf, makeImage } from '../../fixtures/execution/images.ts'
import { createAuthority, type OwnEngine, startOwnEngine } from '../../fixtures/execution/isolated-docker.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { MIB, planFor, runToEnd, talk, until, writeCode } from '../../fixtures/execution/run-fixture.ts'
import { listen } from '../../fixtures/net.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

describe.skipIf(!needs('engine'))('images', () => {
  const engine = new Docker()
  const loaded: string[] = []
  const dirs = runDirs()
  afterEach(async () => {
    const images = loaded.splice(0).map((name) => engine.getImage(name))
    for (const image of images) await image.remove({ force: true }).catch(() => {})
  })

  const over = (change: Partial<DockerExecutorInit>) => dockerExecutor(dirs, { toolchains: {}, ...change })
  const imagePlan = async (executor: ReturnType<typeof over>, image: NonNullable<Plan['image']>) => {
    const { codeDir: _codeDir, ...plan } = await planFor(executor, dirs, '', {
      command: ['/bin/sh', '-c', 'read a < /name; echo "$a"; pwd'],
      toolchain: ['docker'],
    })
    return { ...plan, image }
  }
  /** An image as the code store has it. */
  async function stored({ spoilt = false, wishes = {} } = {}) {
    const { manifest, config, layer } = await makeImage({ wishes })
    const dir = join(await tempDir(), 'image')
    await mkdir(join(dir, 'blobs'), { recursive: true })
    await writeFile(join(dir, 'manifest'), manifest)
    const hex = (bytes: Uint8Array) => digestOf(bytes).slice('sha256:'.length)
    await writeFile(join(dir, 'blobs', hex(config)), config)
    await writeFile(join(dir, 'blobs', hex(layer)), spoilt ? gzipSync('other') : layer)
    loaded.push(digestOf(config))
    return { digest: digestOf(manifest), dir, id: digestOf(config) }
  }

  it('are loaded from the code store, once, and run under the digest of their configuration', async () => {
    const executor = over({})
    const { digest, dir, id } = await stored()
    expect(await executor.hasImage(digest)).toBe(false)
    const { end, out } = await runToEnd(executor, await imagePlan(executor, { digest, dir }))
    const made = expect.stringContaining(`made by ${process.pid}`)
    expect({ end, out: out[0] }).toMatchObject({ end: { exitCode: 0 }, out: made })
    expect((await engine.getImage(id).inspect()).RepoTags).toEqual([expect.stringMatching(/^thundercloud-image-/)])
    // what the engine has is not loaded again
    await rm(join(dir, 'blobs'), { recursive: true })
    expect((await runToEnd(executor, await imagePlan(executor, { digest, dir }))).out[0]).toEqual(made)
  })

  it('get no volume, no health check and no label of their own', async () => {
    const executor = over({})
    const Healthcheck = { Test: ['CMD', '/bin/sh', '-c', 'echo >> /work/checks'], Interval: 1_000_000 }
    const wishes = { Volumes: { '/data/': {}, '/work': {} }, Healthcheck, Labels: { 'example.order': 'yes' } }
    const plan = await imagePlan(executor, await stored({ wishes }))
    await runToEnd(executor, plan, async () => {
      const { Config, Mounts } = await engine.getContainer(`thundercloud-${plan.runId}`).inspect()
      expect([Config.Healthcheck?.Test, Config.Labels['example.order'], Mounts]).toEqual([['NONE'], '', []])
    })
  })

  it.each([
    [{ Volumes: { data: {} } }, /makes a volume at "data"/],
    [{ Volumes: { '/proc/': {} } }, /a volume at "\/proc", which is the kernel's/],
    [
      { Volumes: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`/${index}`, {}])) },
      /17 volumes; at most 16/,
    ],
  ])('that wish for %j are refused, and leave nothing', async (wishes, sentence) => {
    const executor = over({})
    await expect(executor.start(await imagePlan(executor, await stored({ wishes })))).rejects.toThrow(sentence)
    expect(await executor.adopt()).toEqual([])
  })

  it('that are not what their configuration says are refused', async () => {
    const executor = over({})
    const started = executor.start(await imagePlan(executor, await stored({ spoilt: true })))
    await expect(started).rejects.toThrow(/the engine does not take the image/)
    expect(await executor.adopt()).toEqual([])
  })

  const present = ({ id }: { id: string }) =>
    engine
      .getImage(id)
      .inspect()
      .then(
        () => true,
        () => false,
      )

  it('that this node loaded go when no container has used them for a while; those of another node stay', async () => {
    const clock = manualClock()
    const other = dockerExecutor(dirs, { toolchains: {}, nodeId: 'another' })
    const [first, theirs, second] = [await stored(), await stored(), await stored()]
    const aged = createLoadedImages(createEngine({}, systemClock()), { clock, nodeId: 'a' })
    await aged.load(first.dir, 'first')
    aged.begun('first')
    await runToEnd(other, await imagePlan(other, theirs))
    await clock.advance(3_600_000)
    await aged.load(second.dir, 'second')
    expect(await Promise.all([first, theirs, second].map(present))).toEqual([false, true, true])
  })

  it('of runs that came and went are a few at most; those of runs that have no container yet stay', async () => {
    const numbers = ['0', '1', '2', '3', '4', '5', '6']
    const images = await Promise.all(numbers.map((number) => stored({ wishes: { Labels: { number } } })))
    const mine = createLoadedImages(createEngine({}, systemClock()), { clock: manualClock(), nodeId: 'few' })
    for (const [index, { dir }] of images.entries()) {
      await mine.load(dir, `run-${index}`)
      if (index > 0) mine.begun(`run-${index}`)
    }
    expect(await Promise.all(images.map(present))).toEqual([true, false, true, true, true, true, true])
  })

  it.skipIf(!needs('docker-registry'))('of a toolchain are pulled from the operator’s registry', async () => {
    const registry = await startDockerRegistry()
    const image = await makeImage()
    await registry.push('team/tool', image)
    loaded.push(digestOf(image.config))
    const toolchains = { cobol: { image: 'registry.example.org/team/tool:latest' } }
    const executor = over({ toolchains, registries: () => [registry.origin] })
    const plan = await planFor(executor, dirs, '', {
      toolchain: ['cobol'],
      command: ['/bin/sh', '-c', 'read a < /name; echo "$a"'],
    })
    expect((await runToEnd(executor, plan)).out[0]).toMatch(/^made by/)
  })

  it('that are nowhere are refused, with what would help', async () => {
    const executor = over({})
    const cobol = { toolchain: ['cobol'] }
    const gone = executor.start(await imagePlan(executor, { digest: `sha256:${'a'.repeat(64)}` }))
    await expect(gone).rejects.toThrow(/the engine no longer has the image/)
    await expect(executor.start(await planFor(executor, dirs, '', cobol))).rejects.toThrow(RunRefusedError)
    const toolchains = { cobol: { image: '127.0.0.1:9/no/such:image' } }
    const unknown = over({ registries: () => ['http://127.0.0.1:9'], toolchains })
    const started = unknown.start(await planFor(unknown, dirs, '', cobol))
    await expect(started).rejects.toThrow(/no image "127\.0\.0\.1:9\/no\/such:image"/)
  })

  it('of our own Node run by their id', async () => {
    const executor = over({ toolchains: { 'node.js': { image: 'thundercloud/node' } } })
    await runToEnd(executor, await planFor(executor, dirs, ''))
    const { Id } = await engine.getImage(nodeImageTag()).inspect()
    const plan = { ...(await imagePlan(executor, { digest: Id })), command: ['node', '-p', 'process.version'] }
    expect((await runToEnd(executor, plan)).out).toEqual([process.version])
  })
})

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
    const gateway = engine.docker.getContainer(`thundercloud-${plan.runId}-door`)
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

import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import Docker from 'dockerode'
import { afterEach, describe, expect, it } from 'vitest'
import { manualClock, systemClock } from '../../../src/base/clock.ts'
import { createEngine } from '../../../src/execution/docker/engine.ts'
import { tarOf } from '../../../src/execution/docker/images/image-tar.ts'
import { createLoadedImages } from '../../../src/execution/docker/images/loaded-images.ts'
import { nodeImageTag } from '../../../src/execution/docker/images/node-image.ts'
import { createUnusedImages } from '../../../src/execution/docker/images/unused-images.ts'
import { type DockerExecutorInit, type Plan, RunRefusedError } from '../../../src/execution/index.ts'
import { startDockerRegistry } from '../../fixtures/code/docker-registry.ts'
import { dockerExecutor } from '../../fixtures/execution/executors.ts'
import { digestOf, makeImage, storeImage } from '../../fixtures/execution/images.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { planFor, runToEnd } from '../../fixtures/execution/run-fixture.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'
import { rawEntry } from '../../unit/code/raw-tar.ts'

describe.skipIf(!needs('engine'))('images of the Docker engine', () => {
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
  async function stored(content: Parameters<typeof storeImage>[1] = {}) {
    const image = await storeImage(join(await tempDir(), 'image'), content)
    loaded.push(image.id)
    return image
  }

  it('are loaded from the code store, once, and run under the digest of their configuration', async () => {
    const executor = over({})
    const { digest, dir, id } = await stored()
    expect(await executor.hasImage(digest, 'own')).toBe(false)
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

  it.each<[string, Record<string, string>, RegExp]>([
    ['/proc/self/fd/8', {}, /WorkingDir "\/proc\/self\/fd\/8" is the kernel's/],
    ['/dev', {}, /is the kernel's/],
    ['/app/../proc/self/fd/8', {}, /is no plain absolute path/],
    ['//proc/self/fd/8', {}, /is no plain absolute path/],
    ['app', {}, /is no plain absolute path/],
    ['/app\n', {}, /is no plain absolute path/],
    ['/a'.repeat(40), {}, /is no plain absolute path/],
    ['/app', { app: '/proc/self/fd/8' }, /"\/app" is a link to "\/proc\/self\/fd\/8", which/],
    ['/app/b', { app: '/c', c: 'd/../proc', 'd/e': 'f' }, /"\/app" is a link to "\/proc", which/],
  ])('that begin at %j with links %j are refused, and leave nothing', async (WorkingDir, links, sentence) => {
    const executor = over({})
    const image = await stored({ wishes: { WorkingDir }, links })
    await expect(executor.start(await imagePlan(executor, image))).rejects.toThrow(sentence)
    expect(await executor.adopt()).toEqual([])
  })

  const folder = rawEntry({ path: 'etc', type: '5', mode: '0000755\0' })
  const zeros = { type: '3', device: '0000001\x000000005\0' }
  it.each<[string, Parameters<typeof makeImage>[0], RegExp]>([
    ['a pipe', { raw: [folder, rawEntry({ path: 'etc/passwd', type: '6' })] }, /\/etc\/passwd is no plain file/],
    ['a device', { raw: [folder, rawEntry({ path: 'etc/group', ...zeros })] }, /\/etc\/group is no plain file/],
    [
      'a link to a device',
      { raw: [folder, rawEntry({ path: 'x', ...zeros })], links: { 'etc/passwd': '/y', y: 'x' } },
      /\/etc\/passwd is no plain file/,
    ],
    ['a folder', { files: ['etc/passwd/x'] }, /\/etc\/passwd is no plain file/],
    [
      'endless',
      { raw: [folder, rawEntry({ path: 'etc/group', content: '\n'.repeat(2 ** 20 + 1) })] },
      /more than 1 MiB/,
    ],
    [
      'a link to /proc as volume',
      { links: { data: 'proc' }, wishes: { Volumes: { '/data': {} } } },
      /"\/data" is a link/,
    ],
  ])('whose files would hold up or lead away the engine are refused: %s', async (_what, content, sentence) => {
    const executor = over({})
    await expect(executor.start(await imagePlan(executor, await stored(content)))).rejects.toThrow(sentence)
    expect(await executor.adopt()).toEqual([])
  })

  it.each([
    ['/srv/app', {}, '/srv/app'],
    ['/app/below', { app: 'srv' }, '/srv/below'],
  ])('that begin at %j with links %j do', async (WorkingDir, links, where) => {
    const executor = over({})
    const { out } = await runToEnd(executor, await imagePlan(executor, await stored({ wishes: { WorkingDir }, links })))
    expect(out[1]).toBe(where)
  })

  it('do not decide where the engine finds the folders of this machine', async () => {
    const executor = over({})
    const { end } = await runToEnd(executor, await imagePlan(executor, await stored({ files: ['probe'] })))
    expect(end).toMatchObject({ exitCode: 0 })
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

  /** As an executor has them, with a clock of their own. */
  function imagesOf(nodeId: string, clock = manualClock()) {
    const engine = createEngine({}, systemClock())
    const unused = createUnusedImages(engine, { clock, nodeId })
    return { clock, ...unused, ...createLoadedImages(engine, unused) }
  }
  const TEN_MINUTES = 600_000

  it('that this node loaded go when no container has used them for a while; those of another node stay', async () => {
    const other = dockerExecutor(dirs, { toolchains: {}, nodeId: 'another' })
    const [first, theirs, second] = [await stored(), await stored(), await stored()]
    const mine = imagesOf('a')
    await mine.load(first.dir, 'first')
    mine.begun('first')
    await runToEnd(other, await imagePlan(other, theirs))
    await mine.clock.advance(3_600_000)
    await mine.load(second.dir, 'second')
    expect(await Promise.all([first, theirs, second].map(present))).toEqual([false, true, true])
  })

  it.each<[string, (executor: ReturnType<typeof over>) => Promise<unknown>]>([
    ['start', (executor) => executor.adopt()],
    ['run has ended', async (executor) => executor.remove(executor.handle(await planFor(executor, dirs, '')))],
  ])('that an earlier process loaded go a while after a %s; those of other names stay', async (_when, act) => {
    const nodeId = basename(dirs.base)
    const [left, shared, operators] = [await stored(), await stored(), await stored()]
    const killed = imagesOf(nodeId)
    for (const [index, { dir }] of [left, shared, operators].entries()) await killed.load(dir, `run-${index}`)
    await Promise.all([engine.getImage(operators.id).tag({ repo: 'tc-operator', tag: 'latest' })])
    const neighbour = imagesOf('neighbour')
    await neighbour.load(shared.dir, 'theirs')
    // the next process of the same node
    const clock = manualClock()
    const next = dockerExecutor(dirs, { toolchains: {} }, { clock })
    await act(next)
    await clock.advance(TEN_MINUTES - 1)
    expect(await present(left)).toBe(true)
    await clock.advance(1)
    await expect.poll(() => Promise.all([left, shared, operators].map(present))).toEqual([false, true, true])
    const tagsOf = async ({ id }: { id: string }) => (await engine.getImage(id).inspect()).RepoTags
    await expect.poll(() => tagsOf(operators)).toEqual(['tc-operator:latest'])
    expect(await tagsOf(shared)).toEqual([neighbour.tagOf(shared.id)])
  })

  it('are not removed under a run that begins meanwhile: it keeps the image, or knows that it is gone', async () => {
    const [first, second] = [await stored(), await stored()]
    const real = createEngine({}, systemClock())
    let claims: Promise<boolean>[] = []
    const slow = {
      ...real,
      async askMaybe<T>(call: (docker: Docker) => Promise<T>) {
        // with the first removal under way, a run begins with each of the two
        if (claims.length === 0) {
          claims = [first, second].map(({ id }) => unused.claim(id, `run of ${id}`))
          await engine.ping()
        }
        return real.askMaybe(call)
      },
    }
    const unused = createUnusedImages(slow, { clock: manualClock(), nodeId: 'racing' })
    const earlier = imagesOf('racing')
    for (const [index, { dir }] of [first, second].entries()) await earlier.load(dir, `run-${index}`)
    await unused.sweep()
    const claimed = await Promise.all(claims)
    expect(claimed.toSorted()).toEqual([false, true])
    expect(await Promise.all([first, second].map(present))).toEqual(claimed)
  })

  it('of runs that came and went are a few at most; those of runs that have no container yet stay', async () => {
    const numbers = ['0', '1', '2', '3', '4', '5', '6']
    const images = await Promise.all(numbers.map((number) => stored({ wishes: { Labels: { number } } })))
    const mine = imagesOf('few')
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

  it('that the operator has put into the engine are for own services alone', async () => {
    const executor = over({ toolchains: { 'node.js': { image: 'thundercloud/node' } } })
    await runToEnd(executor, await planFor(executor, dirs, ''))
    const { Id } = await engine.getImage(nodeImageTag()).inspect()
    const plan = { ...(await imagePlan(executor, { digest: Id })), command: ['node', '-p', 'process.version'] }
    expect((await runToEnd(executor, { ...plan, author: 'own' })).out).toEqual([process.version])
    expect(await Promise.all(['own', 'stranger'].map((author) => executor.hasImage(Id, author)))).toEqual([true, false])
    await expect(executor.start({ ...plan, author: 'stranger' })).rejects.toThrow(/no longer has the image/)
  })

  it('name what builds: another image under the same name is another builder', async () => {
    const built = 'tc-builder:latest'
    const executor = over({ toolchains: { cobol: { image: built } } })
    const plan = await planFor(executor, dirs, '', { purpose: 'build', toolchain: ['cobol'] })
    const found: string[] = []
    for (const text of ['one', 'two']) {
      const tar = Readable.from(tarOf([{ path: 'name', text, mode: 0o644 }]))
      const [answer] = await Promise.all([engine.importImage(tar, { repo: 'tc-builder', tag: 'latest' })])
      await once(answer.resume(), 'end')
      const { Id } = await engine.getImage(built).inspect()
      loaded.push(Id)
      found.push(await executor.builderId(plan))
      expect(found.at(-1)).toContain(Id)
    }
    expect(found[0]).not.toBe(found[1])
  })
})

import { createServer } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { manualClock, systemClock } from '../../../../src/base/clock.ts'
import { InputError } from '../../../../src/base/errors.ts'
import { silentLog } from '../../../../src/base/log.ts'
import { runOptions } from '../../../../src/execution/docker/container-options.ts'
import { createEngine, engineOptions } from '../../../../src/execution/docker/engine.ts'
import { runtimeAdvice, unenforcedLimitsOf } from '../../../../src/execution/docker/machine.ts'
import { isLater } from '../../../../src/execution/docker/output/frames.ts'
import { stopWhenIdle } from '../../../../src/execution/docker/output/idle-limit.ts'
import { createDockerExecutor, EngineGoneError } from '../../../../src/execution/index.ts'
import { grantOf } from '../../../fixtures/execution/run-fixture.ts'

const plan = {
  runId: 'run-1',
  service: 'service-1',
  author: 'author',
  purpose: 'run',
  grant: grantOf('docker', { memoryBytes: 64 * 2 ** 20, cpuMillicores: 250, diskBytes: 2 ** 20, pids: 20 }),
  codeDir: '/code-dir',
  command: ['node', 'a b', '$c'],
  env: { A: '1' },
  workdir: 'sub',
  ports: [80],
  toolchain: ['node.js'],
  logDir: '/logs',
} as const

function executor(docker: object, runtimeDir = '/tmp/tc-none') {
  const logs = { maxBytes: 1000, keep: 1 }
  const init = { docker, nodeId: 'n', ownAddress: 'own', runtimeDir, toolchains: {}, registries: () => [], logs }
  return createDockerExecutor({ clock: systemClock(), log: silentLog() }, init)
}

describe('the options of a container', () => {
  const handle = { name: 'n', gateway: 'd', socket: '/s/s' }
  const init = {
    plan,
    handle,
    nodeId: 'node-1',
    image: 'sha256:abc',
    seccomp: true,
    wishes: { volumes: ['/data', '/code', '/tmp'], labels: ['traefik.enable'], workingDir: '' },
  }
  const options = runOptions({ ...init, memory: { swap: true } })

  it('take every privilege away', () => {
    expect(options).toMatchObject({
      User: '65534:65534',
      Image: 'sha256:abc',
      HostConfig: {
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges', expect.stringMatching(/^seccomp=\{/)],
        ReadonlyRootfs: true,
        ...{ NetworkMode: 'container:d', PidMode: 'container:d', IpcMode: 'private', CgroupnsMode: 'private' },
        ...{ Init: false, AutoRemove: false },
      },
    })
    expect(options.HostConfig).not.toHaveProperty('Privileged')
    expect(options.HostConfig).not.toHaveProperty('PortBindings')
  })

  it('carry the grant, no more', () => {
    expect(options.HostConfig).toMatchObject({
      Memory: 64 * 2 ** 20,
      MemorySwap: 64 * 2 ** 20,
      NanoCpus: 250_000_000,
      PidsLimit: 20,
      Mounts: [{ Type: 'bind', Source: '/code-dir', Target: '/code', ReadOnly: true }],
    })
    expect(options.HostConfig?.Tmpfs?.['/work']).toContain(`size=${2 ** 20}`)
    expect(options.HostConfig?.Tmpfs?.['/tmp']).toContain('noexec,nosuid')
  })

  it('grant nothing that the image wishes for', () => {
    expect(options).toMatchObject({ Healthcheck: { Test: ['NONE'] }, Labels: { 'traefik.enable': '' } })
    const { '/data': data, ...others } = options.HostConfig?.Tmpfs ?? {}
    expect(data).toContain(`size=${2 ** 20},`)
    expect(Object.keys(others).sort()).toEqual(['/tmp', '/work'])
    expect(others['/tmp']).toContain('noexec')
  })

  it('pass the command without a shell, and say whose it is', () => {
    expect(options).toMatchObject({ Entrypoint: ['node'], Cmd: ['a b', '$c'], WorkingDir: '/code/sub' })
    for (const [what, id] of Object.entries({ node: 'node-1', run: 'run-1', service: 'service-1' }))
      expect(options.Labels?.[`thundercloud.${what}`]).toBe(id)
  })
})

describe('an engine', () => {
  it.each([
    { host: '10.0.0.1', port: 2375 },
    { host: 'docker.example.org', protocol: 'http' },
  ] as const)('at %o is refused', (config) => {
    expect(() => engineOptions(config)).toThrow(InputError)
    expect(() => engineOptions(config)).toThrow(/DOCKER_CONFIGS\.host .* is not this machine, and plain TCP/)
  })

  it.each([
    {},
    { socketPath: '/run/x.sock' },
    { host: 'localhost', port: 2375 },
    { host: '127.0.0.1' },
    { host: 'engine.example.org', protocol: 'https', ca: 'PEM', cert: 'PEM', key: 'PEM' },
  ] as const)('at %o is used', (config) => {
    expect(() => engineOptions(config)).not.toThrow()
  })

  it('that is not there is reported with what to do, and may be tried again', async () => {
    const absent = executor({ socketPath: '/nowhere/docker.sock' })
    expect(await absent.available()).toEqual({
      available: false,
      detail: expect.stringMatching(/at \/nowhere\/docker\.sock: start dockerd \(install docker\.io\)/),
      unenforcedLimits: [],
    })
    await expect(absent.adopt()).rejects.toThrow(EngineGoneError)
    await expect(absent.remove(absent.handle(plan))).rejects.toSatisfy((error: EngineGoneError) => error.shouldRetry())
  })

  it.each(['a whole answer', 'a wait'])('that dies in the middle of %s is gone, and not waited for', async (what) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"half":')
      setTimeout(() => response.destroy(), 20)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const clock = manualClock()
    const engine = createEngine({ host: '127.0.0.1', port }, clock)
    try {
      const asked = what === 'a wait' ? engine.waitForExit('name') : engine.ask((docker) => docker.info())
      const gone = expect(asked).rejects.toThrow(EngineGoneError)
      if (what !== 'a wait') await clock.advance(120_000)
      await gone
    } finally {
      server.close()
    }
  })

  it.each([
    ['1.1.5+ds1', true],
    ['v1.0.0-rc93', true],
    ['1.1.11', true],
    ['1.1.12', false],
    ['1.2.0-rc.1', false],
    ['1.10.0', false],
    ['2.0.0', false],
    ['unknown', false],
  ])('with runc %s: advice is given: %s', (version, given) => {
    const components = [
      { Name: 'Engine', Version: '20.10.0' },
      { Name: 'runc', Version: version },
    ]
    expect([runtimeAdvice({ Components: components }) !== undefined, runtimeAdvice({})]).toEqual([given, undefined])
  })

  it('that copies each layer says that it does not hold an image to its size', () => {
    const of = (Driver: string) => unenforcedLimitsOf({ Driver }).filter((limit) => limit.includes('layers'))
    expect([of('vfs').length, of('overlay2').length]).toEqual([1, 0])
  })

  it('needs a short folder for sockets', () => {
    expect(() => executor({}, `/tmp/${'x'.repeat(100)}`)).toThrow(/longer than 86 bytes/)
  })
})

it('reads the output of a container that has ended as long as some of it comes', async () => {
  const clock = manualClock(0)
  const writer = { writtenBytes: 5 }
  const output = { stop: vi.fn() }
  using _limit = stopWhenIdle(output, { writer, clock })
  for (let n = 0; n < 10; n++) {
    writer.writtenBytes += 1
    await clock.advance(30_000)
  }
  expect(output.stop).not.toHaveBeenCalled()
  await clock.advance(30_000)
  expect(output.stop).toHaveBeenCalledOnce()
})

it.each([
  ['2', '1', true],
  ['2.1', '1.9', true],
  ['1.9', '2.1', false],
  ['1.000002', '1.000001', true],
  ['1.1', '1.100000', false],
  ['1', '1', false],
])('an entry of %s is later than one of %s: %s', (at, than, expected) => {
  expect(isLater(at, than)).toBe(expected)
})

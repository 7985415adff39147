import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createEgress, machineNetwork } from '../../../src/egress/index.ts'
import { createSandboxExecutor } from '../../../src/execution/index.ts'
import { sourceServer } from '../../fixtures/code/source-server.ts'
import { hostExecutor, NO_BUBBLEWRAP } from '../../fixtures/execution/executors.ts'
import { makeRunDirs, planFor } from '../../fixtures/execution/run-fixture.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

/** Asks for an address through the proxy, as npm does without encryption and with it, and without the proxy. */
const PROBE = `
const http = require('node:http'), fs = require('node:fs')
const [allowed, refused] = process.argv.slice(2)
const proxy = { host: '127.0.0.1', port: 3128 }
const forward = (url) => new Promise((resolve) => {
  http.get({ ...proxy, path: url, headers: { host: new URL(url).host } }, (answer) => {
    let text = ''
    answer.on('data', (piece) => (text += piece)).on('end', () => resolve(answer.statusCode + ' ' + text))
  }).on('error', (error) => resolve(error.code))
})
const tunnel = (url) => new Promise((resolve) => {
  http.request({ ...proxy, method: 'CONNECT', path: new URL(url).host })
    .on('connect', (answer, socket) => {
      if (answer.statusCode !== 200) return resolve(answer.statusCode + ' ' + answer.statusMessage)
      http.get({ createConnection: () => socket, path: '/page' }, (page) => {
        let text = ''
        page.on('data', (piece) => (text += piece)).on('end', () => { resolve('tunnel ' + text); socket.destroy() })
      }).on('error', () => {})
    }).on('error', (error) => resolve(error.code)).end()
})
const direct = (url) => new Promise((resolve) => http.get(url, () => resolve('open')).on('error', (error) => resolve(error.code)))
Promise.resolve().then(async () => {
  const all = [await forward(allowed + '/page'), await tunnel(allowed), await forward(refused + '/page'), await tunnel(refused), await direct(allowed)]
  fs.writeFileSync('/code/found.json', JSON.stringify(all))
})
`

test.skipIf(!needs('bubblewrap'))('a build reaches what its egress allows, and nothing else', async () => {
  await using dirs = await makeRunDirs()
  const { url: allowed } = await sourceServer(() => ({ '/page': 'hello' }))
  const { url: refused, asked } = await sourceServer(() => ({ '/page': 'secret' }))
  const sandbox = createSandboxExecutor(system, {
    nodeId: 'egress',
    runtimeDir: dirs.runtime,
    dir: join(dirs.base, 's'),
  })
  const codeDir = join(dirs.base, 'probe')
  await mkdir(codeDir)
  await writeFile(join(codeDir, 'probe.js'), PROBE)
  const host = { host: '127.0.0.1', subdomains: false, port: Number(new URL(allowed).port), privateAllowed: true }
  const through = createEgress(machineNetwork(system.clock), { policy: { hosts: [host], addresses: [] } })
  const end = await sandbox.run({
    command: ['node', 'probe.js', allowed, refused],
    ...{ codeDir, writes: true, readOnlyMounts: [], env: {}, timeoutMs: 30_000 },
    limits: { memoryBytes: 2 ** 28, diskBytes: 2 ** 26, cpuMillicores: 1000, pids: 64 },
    egress: { through, maxBytes: 2 ** 20 },
  })
  expect(end).toMatchObject({ exitCode: 0, reason: 'exit', lines: [] })
  const { port } = new URL(refused)
  expect(JSON.parse(await readFile(join(codeDir, 'found.json'), 'utf8'))).toEqual([
    '200 hello',
    'tunnel hello',
    `403 127.0.0.1:${port} is not among the hosts that may be reached`,
    `403 127.0.0.1:${port} is not among the hosts that may be reached`,
    'ECONNREFUSED',
  ])
  expect(asked).toEqual([])
})

test('the host without bubblewrap refuses a plan with a way out', async () => {
  await using dirs = await makeRunDirs()
  const executor = hostExecutor(dirs, NO_BUBBLEWRAP)
  const plan = await planFor(executor, dirs, '', { author: 'own', egress: { targets: [] } })
  await expect(executor.start(plan)).rejects.toThrow(/a way out needs a sandbox/)
})

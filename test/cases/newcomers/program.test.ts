import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { formatAddress, parseAddress } from '../../../protocols/address.ts'
import { createApiClient } from '../../../src/api/index.ts'
import { createEvents } from '../../../src/base/events.ts'
import { watchClock } from '../../../src/cli/clock-warning.ts'
import { listFolder, packEntries } from '../../../src/code/index.ts'
import type { NodeEvents } from '../../../src/node/events.ts'
import { ROOT } from '../../build.ts'
import { listen } from '../../fixtures/net.ts'
import { announce, bytesOf, HELLO_WEB, newSigner } from '../../fixtures/node/nodes.ts'
import type { Program } from '../../fixtures/program/process.ts'
import { openPlace, test } from '../../fixtures/program/program.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const ID = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

async function copyOfHello(root: string): Promise<string> {
  await cp(HELLO_WEB, join(root, 'hello-web'), { recursive: true })
  return join(root, 'hello-web')
}

test('N4: key show says whose address is whose, before anything was refused', async ({ place }) => {
  const none = await place.ran('key', 'show', '--json')
  const own = { address: expect.any(String), peerId: expect.stringMatching(/^12D3KooW/), dir: place.dir }
  expect(JSON.parse(none.out)).toEqual({ author: null, node: own })
  await cp(join(place.dir, 'identity.pem'), join(place.root, 'key.pem'))
  const named = await place.ran('key', 'show', '--key', join(place.root, 'key.pem'))
  const { node } = JSON.parse(none.out) as { node: { address: string } }
  expect(named.out).toContain(`you publish as: ${node.address}\n`)
  expect(named.out).toContain(`  thundercloud trust delegate ${node.address} --until 90d\n`)
})

test('N4: explain prints the line and the command that would change it, and they do', async () => {
  const LIMITS = { TOTAL: { MEMORY: '1GiB', CPU: '2', DISK: '512MiB', PIDS: 512, RUNS: 4 } }
  const PREFER_TOOLCHAIN = { docker: ['node.js'], host: ['node.js'] }
  await using place = await openPlace({ runner: { LIMITS, PREFER_TOOLCHAIN, KEYWORDS: ['storage'] } })
  const { program, ready, api } = await place.start()
  // with the operator's rights it would be a publication, and nothing of his own is decided about
  const stranger = createApiClient({ url: ready.api as string })
  const { code } = await api.addArchive(packEntries(await listFolder(HELLO_WEB)))
  const author = newSigner()
  const address = formatAddress(author.address)
  const { id } = await stranger.announce(bytesOf(announce(author, { code, desc: 'longer than five' })))
  await program.line((line) => line.includes('node:verdict') && line.includes(id))
  const { out } = await place.ran('explain', id)
  const root = `"TRUST_TREE": { "ROOTS": { "${address}": { "DEPTH": 0 } } }`
  expect(out).toContain('"KEYWORDS": []')
  expect(out).toContain(`thundercloud trust delegate ${address} --until 90d`)
  expect(out).toContain(root)
  // copied as they are
  expect(parseAddress(address)).toEqual(author.address)
  const file = join(place.dir, 'runners', 'andromeda', 'config.json')
  const config = JSON.parse((await readFile(file, 'utf8')).replace(/^\s*\/\/.*$/gm, '')) as object
  await writeFile(file, JSON.stringify({ ...config, ...JSON.parse(`{ ${root}, "KEYWORDS": [] }`) }))
  program.child.kill('SIGHUP')
  const failed = async () => {
    const { verdict } = await api.explain(id, { now: true })
    return verdict.reasons.filter(({ outcome }) => outcome === 'fail')
  }
  await expect.poll(failed).toEqual([])
})

const SIGHUP = 1

/** Resolves when the program catches SIGHUP: before, the system's own way ends it, and nothing is there that could stay behind. */
async function catches(program: Program): Promise<void> {
  const catching = () => {
    const status = readFileSync(`/proc/${program.child.pid}/status`, 'utf8')
    return (BigInt(`0x${/^SigCgt:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`) >> BigInt(SIGHUP - 1)) & 1n
  }
  await expect.poll(catching).toBe(1n)
}

test('N5: SIGHUP while a node starts waits until it is ready, and while it stops it is ignored', async ({ place }) => {
  const program = place.run('start', place.dir, '--json')
  await catches(program)
  // from the first moment on, and again and again until it is ready
  const hangups = setInterval(() => program.child.kill('SIGHUP'), 20)
  await program.line((line) => line.includes('"event":"ready"'))
  clearInterval(hangups)
  // the postponed one has it read its files again: a change of these few moments is found
  writeFileSync(join(place.dir, 'node.json'), readFileSync(join(place.dir, 'node.json')))
  expect((await place.ran('peers', '--json')).code).toBe(0)
  program.child.kill('SIGTERM')
  const pidFile = join(place.dir, 'data', 'node.pid')
  // as long as there is something that could stay behind; in its last moment a process catches nothing any more
  const nag = setInterval(() => existsSync(pidFile) && program.child.kill('SIGHUP'), 5)
  await program.ended()
  clearInterval(nag)
  expect(existsSync(pidFile)).toBe(false)
})

test('N5: SIGHUP ends the demo in good order: its folders and keys are gone', async ({ place }) => {
  const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('thundercloud-demo-'))
  const before = folders()
  const program = place.run('demo', '--json')
  await program.line((line) => line.includes('"event":"node"'))
  program.child.kill('SIGHUP')
  await Promise.race([program.ended(), wait(45_000)])
  expect(await program.ended()).toBe(129)
  expect(folders().filter((name) => !before.includes(name))).toEqual([])
})

test('N8: a clock ten minutes off is said once at start, and at each publish', async () => {
  // one of three is wrong itself, as this machine is
  const servers = [0, 600_000, 600_000].map((offMs) =>
    createServer((_, answer) => {
      answer.sendDate = false
      answer.setHeader('Date', new Date(Date.now() + offMs).toUTCString())
      answer.end('{}')
    }),
  )
  try {
    const ports = await Promise.all(servers.map((server) => listen(server)))
    await using place = await openPlace({ runner: { STATIC_NODES: ports.map((port) => `http://127.0.0.1:${port}`) } })
    const { program } = await place.start()
    const wrong =
      /The clock of this machine is wrong: (9m 59s|10m 0s|10m 1s) behind http:\/\/127\.0\.0\.1:\d+ \(the median of 3 static nodes\)\. Nodes ignore what is signed two minutes off; set the clock, best by NTP/g
    await expect.poll(() => program.stderr).toMatch(wrong)
    const published = await place.ran('publish', await copyOfHello(place.root))
    expect(published.out).toContain('Published "hello-web"')
    expect(published.err.match(wrong)).toHaveLength(1)
    expect(program.stderr.match(wrong)).toHaveLength(1)
  } finally {
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
  }
})

test('N8: without HTTP origins, three peers that send what is signed in the future tell a clock that is behind, once', () => {
  const events = createEvents<NodeEvents>()
  const warnings: string[] = []
  using _watch = watchClock(events, (message) => warnings.push(message))
  const early = (from: string | undefined, aheadMs: number) => {
    events.emit('intake:early', { via: 'gossip', from, aheadMs })
  }
  // one that relays many, and the operator's own program, are no witnesses
  for (let n = 0; n < 100; n++) early('relay', 9_000_000)
  early(undefined, 9_000_000)
  early('second', 700_000)
  early('second', 600_000)
  expect(warnings).toEqual([])
  early('third', 601_000)
  early('fourth', 601_000)
  expect(warnings).toEqual([
    'The clock of this machine is probably wrong: 3 peers sent what is signed 10m 1s from now. Nodes ignore what is signed two minutes off; set the clock, best by NTP.',
  ])
})

test.for([
  ['/dns4/node.example.org/tcp/443/wss/p2p/12D3KooWKdFbtARowGh3BbQQqrkEAqsk6NgaYJEW1Xm1mKvH6niH', '/wss'],
  ['/dns4/node.example.org/tcp/443/tls/ws', '/tls and /ws'],
  ['/ip4/192.0.2.7/udp/4980/quic-v1', '/udp and /quic-v1'],
  ['/dnsaddr/bootstrap.example.org', '/dnsaddr'],
] as const)(
  'N10: a static node %s: the refusal names the option, its value and the transports that there are',
  async ([address, which], { place }) => {
    const { code, err } = await place.ran('init', 'other', '--static', 'https://node.example.org', '--static', address)
    expect(code).toBe(2)
    expect(err).toContain(`--static is "${address.slice(0, 24)}`)
    expect(err).toContain(`with ${which}; the transport that there is is plain TCP over ip4, ip6 or dns`)
    expect(err.trim().split('\n')).toHaveLength(1)
  },
)

test('N10: a light peer gets the same error for its --join', async ({ place }) => {
  const { code, err } = await place.ran('connect', ID, '--join', '/dns4/node.example.org/tcp/443/wss')
  expect(code).toBe(2)
  expect(err).toContain('--join is "/dns4/node.example.org/tcp/443/wss", with /wss; the transport')
})

/** A Node.js of this machine that is too old, if there is one. */
function oldNode(): string | undefined {
  const all = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, 'node'))
  return all.find((path) => {
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    return Number(/^v(\d+)/.exec(stdout ?? '')?.[1] ?? 99) < 24
  })
}

test.each([[['--version']], [['start', 'somewhere']], [[]]])(
  'N11: %j on a Node.js that is too old: one sentence, exit code 1',
  async (argv) => {
    // as the package has it: JavaScript, and nothing of it may be read before the version is known
    const file = join(await tempDir(), 'main.mjs')
    writeFileSync(file, stripTypeScriptTypes(readFileSync(join(ROOT, 'src/cli/main.ts'), 'utf8')))
    const old = oldNode()
    const pretend = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.11.0'})"
    const args = old === undefined ? ['--import', pretend, file, ...argv] : [file, ...argv]
    const { status, stdout, stderr } = spawnSync(old ?? process.execPath, args, { encoding: 'utf8' })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^Thundercloud needs Node\.js 24 or newer; this is (\S+) \(\S+\): install a newer one, or put it first on PATH\.\n$/,
    )
  },
)

const ALL = '`thundercloud help` lists all'
test.for([
  [['help', 'publsh'], `unknown command 'publsh'; did you mean publish? ${ALL}`],
  [['publsh', 'x'], `unknown command 'publsh'; did you mean publish? ${ALL}`],
  [
    ['help', 'policy', 'aply'],
    "unknown command 'policy aply'; did you mean policy apply? `thundercloud help policy` lists all",
  ],
  [['xyzzyxyzzy'], `unknown command 'xyzzyxyzzy'; ${ALL}`],
] as const)('N12: %j suggests what was meant', async ([argv, sentence], { place }) => {
  expect(await place.ran(...argv)).toEqual({ code: 2, out: '', err: `${sentence}\n` })
})

test('N12: Ctrl-C in `publish --wait` says that it stays published, and how to look and to end it', async ({
  place,
}) => {
  await place.start()
  const program = place.run('publish', await copyOfHello(place.root), '--wait')
  await program.line((line) => line.startsWith('Published "hello-web"'))
  program.child.kill('SIGINT')
  expect(await program.ended()).toBe(130)
  expect(program.stderr).toContain(
    '"hello-web" stays published: see it with `thundercloud status hello-web`, end it with `thundercloud stop hello-web`.',
  )
})

test('N12: a network name that is not the one of the node to join through is said at once', async ({ place }) => {
  const { ready } = await place.start()
  const [address = ''] = ready.multiaddrs
  const { code, err } = await place.ran('status', ID, '--join', address, '--network', 'tset')
  expect(code).toBe(2)
  expect(err).toBe(
    `${address} is a node of network "test", and this is meant for "tset": say --network test, or join through a node of "tset"\n`,
  )
})

test.for(['js', 'ts'])(
  "N13: docs/runners.md's command tests a new runner in %s with the Node.js of this machine's PATH",
  async (language, { place }) => {
    const made = await place.ran('runner', 'new', 'mine', ...(language === 'ts' ? ['--ts'] : []))
    expect(made.code).toBe(0)
    const guide = readFileSync(`${ROOT}/docs/runners.md`, 'utf8')
    const command = /^\S*node --test my-node\/runners\/mine\/runner\.test\.js$/m.exec(guide)?.[0] ?? ''
    const here = command.replace('my-node', place.dir).replace(/js$/, language)
    // without what a test runner tells its children
    const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env
    const { status, stdout } = spawnSync('sh', ['-c', here], { cwd: ROOT, env, encoding: 'utf8' })
    expect([status, stdout]).toEqual([0, expect.stringMatching(/fail 0/)])
  },
)

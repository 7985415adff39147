import { mkdirSync, writeFileSync } from 'node:fs'
import { formatAddress } from '../../../protocols/address.ts'
import { initFolder, loadIdentity } from '../../../src/config/index.ts'
import type { Shell } from './shell.ts'

export type Mesh = Awaited<ReturnType<typeof startMesh>>

export const ON_LOOPBACK = '--network test --private --listen /ip4/127.0.0.1/tcp/0 --api 127.0.0.1:0'
const NODE = { NETWORK: 'test', VISIBILITY: 'private', LISTEN: ['/ip4/127.0.0.1/tcp/0'], API: '127.0.0.1:0' }

/** What the documents take for granted: a node of the reader's, another one that trusts the reader, a service. */
export async function startMesh(shell: Shell) {
  const cwd = shell.path()
  // The reader's key as an author, where the command looks for it. This folder also lends the stranger's address.
  const author = shell.path('author')
  const stranger = shell.path('stranger')
  for (const folder of [author, stranger]) await initFolder(folder)
  const settings = shell.path('..', 'home', '.config', 'thundercloud')
  mkdirSync(settings, { recursive: true, mode: 0o700 })
  await shell.run(`cp -p '${author}/identity.pem' '${settings}/author.pem'`, { cwd })

  const ALERTS = { 'disk-low': { COMMAND: ['/bin/true'] } }
  await initFolder(shell.path('my-node'), { node: { ...NODE, ALERTS } })
  const mine = shell.start('thundercloud start my-node', { cwd })
  const [, multiaddr = ''] = /listening +(\S+)[\s\S]*Ready/.exec(await mine.prints(/listening[\s\S]*Ready/)) ?? []

  const runner = { STATIC_NODES: [multiaddr], TRUST_TREE: { ROOTS: { [await addressOf(author)]: {} } } }
  await initFolder(shell.path('other'), { node: NODE, runner })
  await shell.start('thundercloud start other --stop-runs', { cwd }).prints(/Ready/)

  const env = { THUNDERCLOUD_DIR: shell.path('my-node') }
  await shell.run('thundercloud service new my-service', { cwd })
  writeFileSync(shell.path('my-service', 'server.js'), SERVER)
  const published = await shell.run('thundercloud publish my-service --json', { cwd, env })
  if (published.code !== 0) throw new Error(published.output)
  const status = await shell.run('thundercloud status my-service --json', { cwd, env })
  const [, code = ''] = /"code":"(bafy\w+)"/.exec(status.output) ?? []
  return {
    /** the folder of the reader's node, which runs */
    dir: env.THUNDERCLOUD_DIR,
    multiaddr,
    /** an address that no node in the mesh has */
    stranger: await addressOf(stranger),
    /** the content id of the code of `my-service`, which is published */
    code,
    /** to the commands of a document */
    env,
  }
}

async function addressOf(folder: string): Promise<string> {
  return formatAddress((await loadIdentity(folder)).signer.address)
}

/** The service's code: it listens on the port that the manifest names. */
const SERVER = `
require('node:http').createServer((request, response) => response.end('hello')).listen(8080, '127.0.0.1')
console.log('listens on 8080')
`

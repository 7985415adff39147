import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatAddress } from '../../../protocols/address.ts'
import { ed25519Signer, type Signer } from '../../../protocols/signature.ts'
import { createApiClient } from '../../api/client/client.ts'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { initFolder } from '../../config/index.ts'
import { type DemoNode, startDemoNode } from './node.ts'

/** Where the demo's service will run, and a sentence about it. */
export type Sandbox = { readonly kind: 'docker' | 'bubblewrap' | 'permission'; readonly detail: string }

export type DemoMesh = {
  /** publishes */
  readonly first: DemoNode
  /** refuses and redirects */
  readonly second: DemoNode
  /** runs */
  readonly third: DemoNode
  /** whose key signs the service */
  readonly author: Signer
  readonly sandbox: Sandbox
}

export type MeshInit = {
  /** how this program is started: node's options and the entry file */
  command: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  onStarted(node: DemoNode): void
  signal: AbortSignal
}

const LIMITS = { TOTAL: { MEMORY: '512MiB', CPU: '1', DISK: '256MiB', PIDS: 256, RUNS: 2 } }

/**
 * Three nodes in a row: the third knows the second alone, and the second the first, so that what the third receives was
 * redirected. They look for no further peers, and listen on loopback only, on ports that are free.
 */
export async function startMesh(clock: Clock, stack: AsyncDisposableStack, init: MeshInit): Promise<DemoMesh> {
  const root = await mkdtemp(join(tmpdir(), 'thundercloud-demo-'))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  async function node(name: string, runner: object, identity?: string): Promise<DemoNode> {
    const dir = join(root, name)
    await initFolder(dir, {
      identity,
      node: {
        NETWORK: 'demo',
        VISIBILITY: 'private',
        LISTEN: ['/ip4/127.0.0.1/tcp/0'],
        API: '127.0.0.1:0',
        PEERS: { LOW: 0 },
        LOG_LEVEL: 'warn',
      },
      runner: { DESC_MAX_LEN: 200, REDIRECTION_DEPTH: 3, STATIC_NODES: [], LIMITS, ...runner },
      signal: init.signal,
    })
    const started = stack.use(
      await startDemoNode(clock, { name, dir, command: init.command, env: init.env, signal: init.signal }),
    )
    init.onStarted(started)
    return started
  }

  const first = await node('first', { KEYWORDS: ['storage'] })
  const sandbox = await sandboxOf(clock, first, init.signal)
  const thirdKey = pemKey()
  // without a sandbox a node runs only its operator's code: then the author is the third node's owner
  const author = ed25519Signer(sandbox.kind === 'permission' ? thirdKey : pemKey())
  const toolchain = { PREFER_TOOLCHAIN: { docker: ['node.js'], host: ['node.js'] } }
  const second = await node('second', { ...toolchain, KEYWORDS: ['defi', 'bridge'], STATIC_NODES: [first.api] })
  const trust = { TRUST_TREE: { ROOTS: { [formatAddress(author.address)]: { DEPTH: 0 } } } }
  const third = await node(
    'third',
    { ...toolchain, ...trust, KEYWORDS: ['web'], STATIC_NODES: second.multiaddrs.slice(0, 1) },
    thirdKey,
  )
  return { first, second, third, author, sandbox }
}

/** The best executor of this machine, as a node detects it. */
async function sandboxOf(clock: Clock, { api }: DemoNode, signal: AbortSignal): Promise<Sandbox> {
  const { executors } = await createApiClient({ url: api, clock }).health({ signal })
  const best = executors.find(({ available }) => available)
  if (best === undefined)
    throw new UnavailableError(executors.map(({ name, detail }) => `${name}: ${detail}`).join('; '))
  if (best.name === 'docker') return { kind: 'docker', detail: best.detail }
  return { kind: best.ownOnly === true ? 'permission' : 'bubblewrap', detail: best.detail }
}

function pemKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}

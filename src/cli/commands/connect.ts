import { createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { type CID, parseCid } from '../../../protocols/encoding.ts'
import { codeOf, InputError, messageOf } from '../../base/errors.ts'
import { listing, printable } from '../../base/text.ts'
import type { LightPeer } from '../../node/light-contract.ts'
import { findAuthor, keyOption } from '../author.ts'
import type { Cli } from '../cli.ts'
import { argument, command, text, texts, whole } from '../command.ts'
import { daemonOf } from '../daemon.ts'
import { lightPeerFor } from '../light.ts'
import { runningVersion } from '../running-version.ts'

/** Connections at once; each is a tunnel of its own. */
const MAX_CONNECTIONS = 512

export const connect = command({
  name: 'connect',
  summary: 'Reach a port of a running service through a local one',
  details: 'A port with access "author" opens with the author\'s key only. Ctrl-C ends it.',
  args: {
    service: argument(
      'SERVICE[:PORT]',
      "an id, the beginning of one, or a name; and the port's name where it has several",
    ),
  },
  options: {
    local: whole('PORT', 'the local port, 0 = any that is free', { min: 0, max: 65_535, fallback: 0 }),
    join: texts('MULTIADDR', 'without a node, through this one of the mesh; may be repeated'),
    network: text('NAME', 'with --join: the network'),
    key: keyOption,
  },
  async run(cli, { service: given, local, join, network, key }) {
    const [name = '', wanted] = given.split(':')
    await using stack = new AsyncDisposableStack()
    const { service, port, open } =
      join.length > 0
        ? await withoutNode(cli, stack, { name, wanted, join, network, key })
        : await throughNode(cli, stack, { name, wanted, key })
    const server = createServer({ allowHalfOpen: true })
    server.maxConnections = MAX_CONNECTIONS
    server.on('connection', (socket) => void carry(cli, socket, open))
    const real = await listen(server, local)
    stack.defer(() => close(server))
    const address = `127.0.0.1:${real}`
    const id = service.toString()
    cli.out.item({ event: 'listening', service: id, port, local: { host: '127.0.0.1', port: real } }, () => {
      return `${address} is now port "${port}" of ${id}. Ctrl-C ends it.`
    })
    await new Promise((_, reject) => {
      if (cli.signal.aborted) reject(cli.signal.reason)
      cli.signal.addEventListener('abort', () => reject(cli.signal.reason), { once: true })
    })
  },
})

type Way = { service: CID; port: string; open(): ReturnType<LightPeer['connect']> }

async function throughNode(
  cli: Cli,
  stack: AsyncDisposableStack,
  { name, wanted, key }: { name: string; wanted: string | undefined; key: string | undefined },
): Promise<Way> {
  const { signal } = cli
  const client = await daemonOf(cli)
  const info = await client.node({ signal })
  const view = await client.service(name, { signal })
  const port = choosePort(
    wanted,
    view.ports.map((each) => each.name),
  )
  const author = await findAuthor(cli, key)
  if (view.ports.find((each) => each.name === port)?.access === 'author' && author?.address !== view.author) {
    cli.out.note(
      `Port "${port}" is for its author ${view.author} only; the key used here is ${author?.address ?? 'none'}. See --key.`,
    )
  }
  if (info.multiaddrs.length === 0)
    throw new InputError('the node listens nowhere; give LISTEN in its node.json an address')
  const components = { clock: cli.clock, rng: cli.rng, log: cli.log('error') }
  const init = { network: info.network, join: info.multiaddrs, author: author?.signer }
  const running = await runningVersion(client, view, { signal })
  const peer = stack.use(await cli.factories.lightPeer(components, init))
  return {
    service: parseCid(running.id),
    port,
    // each connection goes to the newest healthy version at its time
    async open() {
      const { id, receipts } = await runningVersion(client, await client.service(view.id, { signal }), { signal })
      const peers = receipts
        .filter(({ state }) => state === 'running' || state === 'accepted')
        .map((each) => each.peerId)
      return await peer.connect(parseCid(id), port, { signal, peers })
    },
  }
}

async function withoutNode(
  cli: Cli,
  stack: AsyncDisposableStack,
  init: {
    name: string
    wanted: string | undefined
    join: readonly string[]
    network: string | undefined
    key: string | undefined
  },
): Promise<Way> {
  const target = stack.use(await lightPeerFor(cli, { ...init, service: init.name }))
  const { service, peer } = target
  const port = choosePort(init.wanted, target.ports)
  return { service, port, open: () => peer.connect(service, port, { signal: cli.signal }) }
}

function choosePort(wanted: string | undefined, ports: readonly string[]): string {
  if (wanted !== undefined) {
    if (ports.length === 0 || ports.includes(wanted)) return wanted
    throw new InputError(
      `the service has no port "${printable(wanted, 64)}"; it has ${listing(ports.map((port) => printable(port)))}`,
    )
  }
  const [only] = ports
  if (only !== undefined && ports.length === 1) return only
  throw new InputError(
    ports.length === 0
      ? 'name the port: SERVICE:PORT, like my-service:http'
      : `the service has several ports; name one: ${listing(
          ports.map((port) => printable(port)),
          'or',
        )}, as SERVICE:PORT`,
  )
}

/** One connection, one tunnel. What fails here is told, and harms no other connection. */
async function carry(cli: Cli, socket: Socket, open: () => ReturnType<LightPeer['connect']>): Promise<void> {
  socket.on('error', () => {})
  try {
    const pipe = await open()
    const { signal } = cli
    await Promise.all([pipeline(socket, pipe, { signal }), pipeline(pipe, socket, { signal })])
  } catch (error) {
    socket.destroy()
    // a program that hangs up is no failure
    if (cli.signal.aborted || codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE' || codeOf(error) === 'ECONNRESET') return
    const reason = printable(messageOf(error), 300)
    if (cli.out.json) cli.out.item({ event: 'failed', reason }, () => reason)
    else cli.out.note(`A connection failed: ${reason}`)
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const why =
        codeOf(error) === 'EADDRINUSE' ? 'is in use; give --local another' : `can not be used: ${messageOf(error)}`
      reject(new InputError(`port ${port} on 127.0.0.1 ${why}`, { cause: error }))
    })
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => void server.close(() => resolve()))
}

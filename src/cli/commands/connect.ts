import { createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { raceSignal } from 'race-signal'
import { errnoOf, InputError, messageOf, systemMessageOf } from '../../base/errors.ts'
import { joinWords, sanitizeText } from '../../base/format.ts'
import type { BytePipe } from '../../base/stream.ts'
import { keyOption } from '../author.ts'
import type { Cli } from '../cli.ts'
import { accessOption } from '../client/access-token.ts'
import { argument, command, text, texts, whole } from '../command.ts'
import { type ServiceTarget, targetAtNode, targetByPeer, type Version } from '../service-versions/service-target.ts'
import { createVersionResolver, type VersionResolver } from '../service-versions/version-resolver.ts'
import { noteWaiting } from '../service-versions/waiting-note.ts'

/** Connections at once; each is a tunnel of its own. */
const MAX_CONNECTIONS = 512

export const connect = command({
  name: 'connect',
  summary: 'Reach a port of a running service through a local one',
  details:
    'A name leads each connection to the newest version that is healthy; an id, to that version alone. A port with access "author" or "siblings" opens with the author\'s key, or with a token from the author (--access). Ctrl-C ends it.',
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
    access: accessOption,
  },
  async run(cli, { service: given, local, join, network, key, access: file }) {
    const [name = '', wanted] = given.split(':')
    await using stack = new AsyncDisposableStack()
    const access = { file, right: 'tunnel' } as const
    const target =
      join.length > 0
        ? await targetByPeer(cli, stack, { service: name, join, network, key, access })
        : await targetAtNode(cli, stack, { service: name, key, access })
    const port = choosePort(wanted, target)
    if (file === undefined) noteAccess(cli, target, port)
    const resolver = createVersionResolver(cli, target)
    const running = await firstVersion(cli, resolver)
    const server = createServer({ allowHalfOpen: true })
    server.maxConnections = MAX_CONNECTIONS
    let printed = running.id
    const open = async () => {
      const { version, pipe } = await resolver.open(port)
      if (version.id !== printed) printVersion(cli, version)
      printed = version.id
      return pipe
    }
    server.on('connection', (socket) => void carry(cli, socket, open))
    const real = await listen(server, local)
    stack.defer(() => close(server))
    const { id, seq } = running
    cli.out.item({ event: 'listening', service: id, seq, port, local: { host: '127.0.0.1', port: real } }, () => {
      return `127.0.0.1:${real} is now port "${port}" of ${id}. Ctrl-C ends it.`
    })
    await raceSignal(new Promise<never>(() => {}), cli.signal)
  },
})

async function firstVersion(cli: Cli, resolver: VersionResolver): Promise<Version> {
  using _waiting = noteWaiting(cli)
  return await resolver.find()
}

function noteAccess({ out }: Cli, { ports, author, key }: ServiceTarget, port: string): void {
  const access = ports.find((each) => each.name === port)?.access
  if (access === 'any' || access === undefined || key?.address === author) return
  const others = access === 'siblings' ? ' and nodes that run the service' : ''
  const used = `the key used here is ${key?.address ?? 'none'}. See --key.`
  out.note(`Port "${port}" is for its author ${author}${others} only; ${used}`)
}

function printVersion({ out }: Cli, { id, seq }: Version): void {
  out.item({ event: 'version', service: id, seq }, () => {
    return `New connections go to ${seq === undefined ? '' : `version ${seq}, `}${id}.`
  })
}

function choosePort(wanted: string | undefined, target: ServiceTarget): string {
  const ports = target.ports.map(({ name }) => name)
  if (wanted !== undefined) {
    if (ports.length === 0 || ports.includes(wanted)) return wanted
    throw new InputError(
      `the service has no port "${sanitizeText(wanted, 64)}"; it has ${joinWords(ports.map((port) => sanitizeText(port)))}`,
    )
  }
  const [only] = ports
  if (only !== undefined && ports.length === 1) return only
  throw new InputError(
    ports.length === 0
      ? 'name the port: SERVICE:PORT, like my-service:http'
      : `the service has several ports; name one: ${joinWords(
          ports.map((port) => sanitizeText(port)),
          'or',
        )}, as SERVICE:PORT`,
  )
}

/** One connection, one tunnel. A failure is printed, and harms no other connection. */
async function carry(cli: Cli, socket: Socket, open: () => Promise<BytePipe>): Promise<void> {
  socket.on('error', () => {})
  try {
    const pipe = await open()
    const { signal } = cli
    await Promise.all([pipeline(socket, pipe, { signal }), pipeline(pipe, socket, { signal })])
  } catch (error) {
    socket.destroy()
    // a program that disconnects is not a failure
    if (cli.signal.aborted || errnoOf(error) === 'ERR_STREAM_PREMATURE_CLOSE' || errnoOf(error) === 'ECONNRESET') return
    const reason = sanitizeText(messageOf(error), 300)
    if (cli.out.json) cli.out.item({ event: 'failed', reason }, () => reason)
    else cli.out.note(`A connection failed: ${reason}`)
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const why =
        errnoOf(error) === 'EADDRINUSE'
          ? 'is in use; give --local another'
          : `cannot be used: ${systemMessageOf(error)}`
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

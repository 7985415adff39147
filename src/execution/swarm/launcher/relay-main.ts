import { resolve4 } from 'node:dns/promises'
import { connect, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSession } from '../../gateway/handshake.ts'
import { readLine } from '../../gateway/server.ts'
import { LAUNCHER_PORT, SILENCE_MS } from './settings.ts'

/**
 * The relay: a container beside the node, on the network of the launchers. The node, which is not on it, is attached to its
 * stdin and stdout. Each connection begins with a line, the name of a launcher's service, and is then that launcher's, byte for byte; what
 * goes over it is encrypted from node to launcher. It ends with the node's connection.
 */
const output = new Socket({ fd: 1, readable: false, writable: true })
const input = new Socket({ fd: 0, readable: true, writable: false })
const session = createSession({
  first: 2,
  write: (bytes, done) => void output.write(bytes, done),
  onStream: (stream) => void carry(stream).catch(() => stream.destroy()),
})

async function carry(stream: Duplex): Promise<void> {
  stream.on('error', () => {})
  // the image's own look-ups ask no name server, so that no run's do
  const [host] = await resolve4((await readLine(stream)).trim())
  const launcher = connect({ host, port: LAUNCHER_PORT, allowHalfOpen: true })
  launcher.once('connect', () => {
    stream.write('ok\n')
    stream.pipe(launcher)
    launcher.pipe(stream)
  })
  launcher.on('error', () => stream.destroy())
  stream.on('close', () => launcher.destroy())
  launcher.on('close', () => {
    if (!launcher.readableEnded) stream.destroy()
  })
}

const end = () => input.destroy()
output.on('error', end)
input.on('error', end)
input.setTimeout(SILENCE_MS, end)
try {
  for await (const bytes of input) session.take(bytes as Buffer)
} catch {
  // it ends with its connection, however that ends
}
session.close(new Error('the connection of the node was lost'))
output.destroy()

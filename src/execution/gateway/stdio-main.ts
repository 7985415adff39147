import { Socket } from 'node:net'
import { diskAnswer, watchDisk } from './disk.ts'
import { startEgress } from './egress.ts'
import { createSession } from './handshake.ts'
import { now, watchLifetime } from './lifetime.ts'
import { usageAnswer } from './run-usage.ts'
import { serveConnection } from './server.ts'
import { parseSettings } from './settings.ts'
import { createTrafficMeter } from './traffic.ts'

/** A node that sends nothing for so long is gone: it sends a ping every 15 s. */
const SILENCE_MS = 60_000

/**
 * The gateway of a container of an engine that shares no folder with the node: `stdio <settings as JSON>`. Connections come from the client that is attached to its stdin and stdout; it lives as long as its
 * container, and a client that attaches again begins a new session.
 */
const { ports, lifetime, build, keeps, egress } = parseSettings(process.argv[2])
let lastAsked = now()
const output = new Socket({ fd: 1, readable: false, writable: true })
const input = new Socket({ fd: 0, readable: true, writable: false })

const meter = createTrafficMeter()
const wayOut = egress && (await startEgress(egress, meter))
const usage = usageAnswer(meter.traffic, { waited: false })
const disk = diskAnswer(build === undefined ? undefined : watchDisk(build))
const served: Parameters<typeof serveConnection>[1] = {
  ports,
  other: (request) => usage(request) ?? disk(request),
  egress: wayOut?.attach,
  meter,
}

const session = createSession({
  first: 2,
  write: (bytes, done) => void output.write(bytes, done),
  onStream: (stream) => void serveConnection(stream, served).catch(() => stream.destroy()),
})

output.on('error', () => {})
input.on('error', () => {})
input.setTimeout(SILENCE_MS, () => session.close(new Error('no client is attached')))
watchLifetime(lifetime, {
  lastAsked: () => lastAsked,
  keeps,
  end: () => process.kill(process.pid, 'SIGKILL'),
})
for await (const bytes of input) {
  lastAsked = now()
  session.take(bytes as Buffer)
}

import { lstat, readdir } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { now, watchLifetime } from './lifetime.ts'
import { serveKnock } from './relay.ts'
import { createSession } from './session.ts'

/** A node that says nothing for so long is gone: it says something every 15 s. */
const SILENCE_MS = 60_000
const CODE = '/code'

/**
 * The gateway of a container of an engine that shares no folder with the node: `stdio <port,port,...> <lifetime as JSON>`. Whoever is
 * attached to its stdin and stdout knocks; it lives as long as its container, and who attaches anew begins anew.
 */
const ports = (process.argv[2] ?? '').split(',').filter(Boolean).map(Number)
let lastAsked = now()
const output = new Socket({ fd: 1, readable: false, writable: true })
const input = new Socket({ fd: 0, readable: true, writable: false })

const session = createSession({
  first: 2,
  write: (bytes, done) => void output.write(bytes, done),
  onStream: (stream) => void serveKnock(stream, ports, measure).catch(() => stream.destroy()),
})

output.on('error', () => {})
input.on('error', () => {})
input.setTimeout(SILENCE_MS, () => session.close(new Error('nobody is attached')))
watchLifetime(JSON.parse(process.argv[3] ?? '{"graceMs":0}'), {
  lastAsked: () => lastAsked,
  end: () => process.kill(process.pid, 'SIGKILL'),
})
for await (const bytes of input) {
  lastAsked = now()
  session.take(bytes as Buffer)
}

/** How much a build has written: where the node can not look itself. */
async function measure(request: Record<string, unknown>): Promise<string | undefined> {
  return request.measure === true ? String(await sizeOf(CODE)) : undefined
}

/** Links are not followed: a build may make any. */
async function sizeOf(dir: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    const path = join(dir, entry.name)
    bytes += entry.isDirectory() ? await sizeOf(path) : ((await lstat(path).catch(() => undefined))?.size ?? 0)
  }
  return bytes
}

import { addressBytes } from '../../protocols/address.ts'
import { encodeAnnouncement, signService, signStop } from '../../protocols/announcement.ts'
import { parseCid } from '../../protocols/encoding.ts'
import { issueTicket } from '../../protocols/redirection.ts'
import { encodeService } from '../../protocols/service.ts'
import type { Signer } from '../../protocols/signature.ts'
import { encodeStop } from '../../protocols/stop.ts'
import type { ApiClient } from '../../src/api/index.ts'
import type { Rng } from '../../src/base/rng.ts'
import { type PackEntry, packEntries } from '../../src/code/index.ts'
import { manifestToBody, parseManifest } from '../../src/config/index.ts'
import type { Ledger } from './ledger.ts'
import { type Clients, NETWORK } from './victim.ts'

/** Says when it begins, and when it ends. */
const PROGRAM = `const [, , kind, ms] = process.argv
console.log('begin')
if (kind === 'task') setTimeout(() => console.log('end'), Number(ms))
else setInterval(() => {}, 1000)`

const TASK_MS = 1500
const NOISE_BYTES = 100_000
/** One in so many acts. */
const STOP_EVERY = 4
const SERVICE_EVERY = 3
const CODE_EVERY = 6

/** Strangers' requests, one after the other; what the node acknowledges goes into the ledger. */
export function createLoad({ rng, ledger, author }: { rng: Rng; ledger: Ledger; author: Signer }) {
  let made = 0

  function announcement(kind: 'task' | 'service', code: string): { id: string; bytes: Uint8Array } {
    const { reach, ticket } = issueTicket(1, rng.bytes(32))
    const manifest = parseManifest({
      ...{ name: `${kind}-${made++}`, toolchain: ['node.js'], expires: '1h', code },
      run: { command: ['node', 'main.js', kind, `${rng.int(TASK_MS)}`], kind },
      resources: { memory: '96MiB', disk: '4MiB', cpu: '0.5', pids: 32 },
    })
    const issued = Math.floor(Date.now() / 1000)
    const signing = { author: author.address, seq: 1, issued, replyTo: [], reach, code: parseCid(code) }
    const signed = signService(encodeService(manifestToBody(manifest, signing)), NETWORK, author)
    return { id: signed.id.toString(), bytes: encodeAnnouncement({ signed, ticket }) }
  }

  async function addCode(api: ApiClient, noise: number): Promise<string> {
    const file = (path: string, bytes: Uint8Array): PackEntry => ({
      path,
      executable: false,
      size: bytes.byteLength,
      open: () => [bytes],
    })
    const entries = [file('main.js', Buffer.from(PROGRAM)), file('noise', rng.bytes(noise))]
    const { code } = await api.addArchive(packEntries(entries))
    ledger.codes.add(code)
    return code
  }

  async function publish({ stranger }: Clients): Promise<void> {
    const kind = rng.int(SERVICE_EVERY) === 0 ? 'service' : 'task'
    const codes = [...ledger.codes]
    const { id, bytes } = announcement(kind, codes[rng.int(codes.length)] as string)
    await stranger.announce(bytes)
    ledger.services.set(id, { id, kind })
  }

  async function stop(clients: Clients): Promise<void> {
    const going = [...ledger.services.values()].filter((one) => one.kind === 'service' && one.stop === undefined)
    const one = going[rng.int(Math.max(1, going.length))]
    if (one !== undefined) await stopOne(clients, one.id)
  }

  async function stopOne({ operator, stranger }: Clients, id: string): Promise<void> {
    const { name } = await operator.service(id)
    const { reach, ticket } = issueTicket(1, rng.bytes(32))
    const issued = Math.floor(Date.now() / 1000)
    const body = {
      v: 1,
      author: addressBytes(author.address),
      name,
      seq: 2,
      stop: true,
      issued,
      expires: issued + 3600,
      reach,
    } as const
    const signed = signStop(encodeStop(body), NETWORK, author)
    const one = ledger.services.get(id)
    if (one !== undefined) one.stop = 'sent'
    await stranger.announce(encodeAnnouncement({ signed, ticket }))
    if (one !== undefined) one.stop = 'acknowledged'
  }

  return {
    /** One act. Rejects where the node dies meanwhile: then nothing was acknowledged. */
    async act(clients: Clients): Promise<void> {
      if (ledger.codes.size === 0 || rng.int(CODE_EVERY) === 0) await addCode(clients.operator, rng.int(NOISE_BYTES))
      else if (rng.int(STOP_EVERY) === 0) await stop(clients)
      else await publish(clients)
    },
    /** Ends every service that still runs. */
    async stopAll(clients: Clients): Promise<void> {
      for (const { id, kind, state } of await clients.operator.services())
        if (kind === 'service' && state !== 'stopped') await stopOne(clients, id)
    },
  }
}

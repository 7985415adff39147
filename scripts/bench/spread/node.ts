import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseCid } from '../../../protocols/encoding.ts'
import { ARCHIVE_PROTOCOL } from '../../../protocols/streams/archive.ts'
import { openCode, openNetwork, randomArchive } from '../archive/peers.ts'

/** What a node is asked to do, and what it answers. */
export type ToNode =
  | { readonly add: number }
  | { readonly dial: readonly string[] }
  | { readonly fetch: string; readonly peers: readonly string[] }
  | { readonly remove: string }
export type FromNode = { readonly address: string } | { readonly code: string } | { readonly done: true }

/** The process of one node of the spread benchmark: a node's network and code. Ends with its parent. */
const [host = ''] = process.argv.slice(2)
const dir = await mkdtemp(join(tmpdir(), 'thundercloud-bench-'))
const network = await openNetwork(`/ip4/${host}/tcp/0`)
const code = await openCode(network, join(dir, 'store'))
const answer = (message: FromNode) => void process.send?.(message)

async function work(order: ToNode): Promise<void> {
  if ('add' in order) return answer({ code: (await code.addTar(randomArchive(order.add))).code.toString() })
  if ('dial' in order) for (const address of order.dial) await network.dial(address)
  else if ('fetch' in order) await code.fetch(parseCid(order.fetch), { peers: order.peers })
  else await code.store.remove(parseCid(order.remove))
  answer({ done: true })
}

const over = Promise.withResolvers<void>()
process.on('disconnect', over.resolve)
process.on('message', (order: ToNode) => void work(order).catch(over.reject))
try {
  await network.streams.handle(ARCHIVE_PROTOCOL, code.serve)
  answer({ address: network.multiaddrs()[0] as string })
  await over.promise
} finally {
  await code[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
}

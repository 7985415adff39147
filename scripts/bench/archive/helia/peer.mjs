import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { FsBlockstore } from 'blockstore-fs'
import { createHeliaLight } from 'helia'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { CID } from 'multiformats/cid'

/**
 * One peer of Helia for the archive benchmark, in a process of its own: bitswap alone, blocks in files. It answers
 * `{ add }` (bytes at random, leaves of 1 MiB), `{ dial }` and `{ fetch, bytes }`, which takes all blocks into the store.
 */
const dir = await mkdtemp(join(tmpdir(), 'thundercloud-bench-'))
const helia = withBitswap(
  withLibp2pLight(createHeliaLight({ blockstore: new FsBlockstore(join(dir, 'blocks')) }), {
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  }),
)
await helia.start()
const files = unixfs(helia)

async function work(order) {
  if ('add' in order) {
    const options = { rawLeaves: true, chunker: fixedSize({ chunkSize: 1024 * 1024 }) }
    return { cid: (await files.addBytes(randomBytes(order.add), options)).toString() }
  }
  if ('dial' in order) {
    await helia.libp2p.dial(multiaddr(order.dial))
    return {}
  }
  const startedAt = performance.now()
  let bytes = 0
  for await (const piece of files.cat(CID.parse(order.fetch), { blockReadConcurrency: 64 })) bytes += piece.byteLength
  if (bytes !== order.bytes) throw new Error(`Helia brought ${bytes} bytes`)
  return { ms: performance.now() - startedAt }
}

const over = Promise.withResolvers()
process.on('disconnect', over.resolve)
process.on('message', (order) => void work(order).then((answer) => process.send(answer), over.reject))
process.send({ address: helia.libp2p.getMultiaddrs()[0]?.toString() })
try {
  await over.promise
} finally {
  await helia.stop()
  await rm(dir, { recursive: true, force: true })
}

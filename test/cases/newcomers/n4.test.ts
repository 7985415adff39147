import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatAddress, parseAddress } from '../../../protocols/address.ts'
import { createApiClient } from '../../../src/api/index.ts'
import { listFolder, packEntries } from '../../../src/code/index.ts'
import { announce, bytesOf, HELLO_WEB, newSigner } from '../../fixtures/node/nodes.ts'
import { openPlace } from '../../fixtures/program/program.ts'

test('key show says whose address is whose, before anything was refused', async () => {
  await using place = await openPlace()
  const none = await place.ran(['key', 'show', '--json'])
  expect(JSON.parse(none.out)).toEqual({
    author: null,
    node: { address: expect.any(String), peerId: expect.stringMatching(/^12D3KooW/), dir: place.dir },
  })
  await cp(join(place.dir, 'identity.pem'), join(place.root, 'key.pem'))
  const named = await place.ran(['key', 'show', '--key', join(place.root, 'key.pem')])
  const { node } = JSON.parse(none.out) as { node: { address: string } }
  expect(named.out).toContain(`you publish as: ${node.address}\n`)
  expect(named.out).toContain(`  thundercloud trust delegate ${node.address} --until 90d\n`)
}, 180_000)

test('explain prints the line and the command that would change it, and they do', async () => {
  await using place = await openPlace({
    runner: {
      LIMITS: { TOTAL: { MEMORY: '1GiB', CPU: '2', DISK: '512MiB', PIDS: 512, RUNS: 4 } },
      PREFER_TOOLCHAIN: { docker: ['node.js'], host: ['node.js'] },
      KEYWORDS: ['storage'],
    },
  })
  const { program, ready } = await place.start()
  const client = createApiClient({ url: 'http://localhost', socketPath: ready.socket as string })
  // with the operator's rights it would be a publication, and nothing of his own is decided about
  const stranger = createApiClient({ url: ready.api as string })
  const { code } = await client.addArchive(packEntries(await listFolder(HELLO_WEB)))
  const author = newSigner()
  const address = formatAddress(author.address)
  const { id } = await stranger.announce(bytesOf(announce(author, { code, desc: 'longer than five' })))
  await program.line((line) => line.includes('node:verdict') && line.includes(id))
  const { out } = await place.ran(['explain', id])
  const root = `"TRUST_TREE": { "ROOTS": { "${address}": { "DEPTH": 0 } } }`
  expect(out).toContain('"KEYWORDS": []')
  expect(out).toContain(`thundercloud trust delegate ${address} --until 90d`)
  expect(out).toContain(root)
  // copied as they are
  expect(parseAddress(address)).toEqual(author.address)
  const file = join(place.dir, 'runners', 'andromeda', 'config.json')
  const config = JSON.parse((await readFile(file, 'utf8')).replace(/^\s*\/\/.*$/gm, '')) as object
  await writeFile(file, JSON.stringify({ ...config, ...JSON.parse(`{ ${root}, "KEYWORDS": [] }`) }))
  program.child.kill('SIGHUP')
  await expect
    .poll(async () =>
      (await client.explain(id, { now: true })).verdict.reasons.filter(({ outcome }) => outcome === 'fail'),
    )
    .toEqual([])
}, 180_000)

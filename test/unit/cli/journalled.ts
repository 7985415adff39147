import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { formatAddress } from '../../../protocols/address.ts'
import type { Signer } from '../../../protocols/signature.ts'
import { manualClock, systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { initFolder } from '../../../src/config/index.ts'
import { openJournal } from '../../../src/journal/index.ts'
import { announcementOf, newSigner } from '../../fixtures/mesh/announcement-of.ts'
import type { Shell } from '../../fixtures/program/shell.ts'

/** An operator's folder whose node has received services, an hour apart, the last one now. It does not run. */
export async function folderWithJournal(
  shell: Shell,
  count: number,
  runner: object = {},
): Promise<{ dir: string; config: string; author: string; signer: Signer }> {
  const dir = shell.path('operator')
  const signer = newSigner()
  const author = formatAddress(signer.address)
  await initFolder(dir, {
    node: { NETWORK: 'test', API: '127.0.0.1:0' },
    runner: { TRUST_TREE: { ROOTS: { [author]: {} } }, ...runner },
  })
  mkdirSync(join(dir, 'data'))
  fill(join(dir, 'data/journal.sqlite'), signer, count)
  shell.env.THUNDERCLOUD_DIR = dir
  return { dir, config: join(dir, 'runners/andromeda/config.json'), author, signer }
}

function fill(path: string, signer: Signer, count: number): void {
  const now = systemClock().now()
  using journal = openJournal({ path, clock: manualClock(now), log: silentLog() })
  journal.transaction(() => {
    for (let number = 0; number < count; number++) {
      const clock = manualClock(now - (count - 1 - number) * 3_600_000)
      const { announcement } = announcementOf(signer, { clock, name: `name-${number}` })
      const { signed, ticket } = announcement
      if (signed.kind !== 'service') continue
      journal.announcements.insert({
        id: signed.id.toString(),
        kind: 'service',
        author: signed.body.author,
        name: signed.body.name,
        seq: signed.body.seq,
        body: signed.bytes,
        sig: signed.sig,
        code: signed.body.code.toString(),
        depth: ticket.depth,
        proof: ticket.proof,
        issued: signed.body.issued,
        expires: signed.body.expires,
        receivedAt: clock.now(),
        via: 'gossip',
        own: false,
        state: 'live',
      })
    }
  })
}

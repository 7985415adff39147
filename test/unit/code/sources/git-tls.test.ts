import { readFileSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { fetchInProcess } from '../../../../src/code/sources/fetch-process.ts'
import { namedHostPolicy } from '../../../../src/code/sources/storage-access.ts'
import { createEgress, machineNetwork } from '../../../../src/egress/index.ts'
import { git, gitServer } from '../../../fixtures/code/git-server.ts'
import { makeCertificates } from '../../../fixtures/code/tls-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { needs } from '../../../require.ts'

test.skipIf(!needs('git'))('a commit over TLS, whose certificate is of an authority that is named', async () => {
  const clock = systemClock()
  const root = await tempDir()
  git(root, 'init', '-q')
  writeFileSync(`${root}/a`, 'a\n')
  git(root, 'add', 'a')
  git(root, 'commit', '-qm', 'one')
  git(root, 'commit', '-qm', 'two', '--allow-empty')
  const commit = git(root, 'rev-parse', 'HEAD~1')
  const { ca, key, cert } = makeCertificates(await tempDir(), ['127.0.0.1'])
  const { url } = await gitServer(root, { tls: { key, cert } })
  const fetchWith = async (authorities: string[]) => {
    const source = { type: 'git' as const, url: `${url}/.git`, commit }
    const egress = createEgress(machineNetwork(clock), { policy: namedHostPolicy(url, []) })
    const init = { clock, egress, dir: await tempDir(), signal: new AbortController().signal }
    return await fetchInProcess({ source, maxBytes: 1e6, maxEntries: 10, authorities }, init, async (archive) => {
      await text(archive)
    })
  }
  await expect(fetchWith([])).rejects.toThrow(/127\.0\.0\.1 has no certificate that holds .*NODE_EXTRA_CA_CERTS/)
  expect(await fetchWith([readFileSync(ca, 'utf8')])).toMatchObject({ done: true, commit, integrity: 'sha1' })
})

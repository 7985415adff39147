import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { formatAddress } from '../../../../protocols/address.ts'
import { redactText, redactValue } from '../../../../src/cli/support/redact.ts'
import { newSigner } from '../../../fixtures/mesh/announcement-of.ts'
import { test } from '../../../fixtures/program/shell.ts'

const secret = () => randomBytes(32).toString('base64url')

test('support: no secret is in the file, wherever one can be; the file says what is in it', async ({
  withNode: shell,
}) => {
  const kept: string[] = []
  const hide = (text: string) => {
    kept.push(text)
    return text
  }
  const folder = shell.path('my-node')
  mkdirSync(`${folder}/runners/andromeda`, { recursive: true })
  mkdirSync(`${folder}/keys`)
  mkdirSync(shell.path('settings/thundercloud'), { recursive: true })
  const pem = () =>
    `-----BEGIN PRIVATE KEY-----\n${hide(randomBytes(48).toString('base64'))}\n-----END PRIVATE KEY-----\n`
  writeFileSync(`${folder}/identity.pem`, pem())
  writeFileSync(`${folder}/api.token`, hide(secret()))
  writeFileSync(`${folder}/keys/hub.key`, hide(randomBytes(32).toString('hex')))
  writeFileSync(shell.path('settings/thundercloud/author.pem'), pem())
  const settings = {
    NETWORK: 'test',
    API_PASSWORD: hide('hunter2-hunter2'),
    nested: [{ authToken: hide('short-one'), Passphrase: { all: hide('words below it') } }],
    REGISTRY: `https://user:${hide('p4ssw0rd')}@registry.example/npm?${hide('_auth=abcdef')}`,
    command: `curl -H "Authorization: Bearer ${hide('t.o.k.e.n')}" ${hide(secret())}`,
    inline: pem(),
    [`X${hide(secret())}`]: 1,
  }
  const text = JSON.stringify(settings)
  for (const file of ['node.json', 'services.json', 'hub.json', 'runners/andromeda/config.json']) {
    writeFileSync(`${folder}/${file}`, text)
  }
  shell.node.blocks.add({ kind: 'author', subject: formatAddress(newSigner().address), note: hide('my own words') })
  const env = { THUNDERCLOUD_TOKEN: hide('environment-token'), GITHUB_AUTH: hide('environment-auth') }

  const { code, values } = await shell.json(
    `support report.json --dir ${folder} --api ${shell.url} --token-file operator/api.token`,
    {
      env,
    },
  )
  expect(code).toBe(0)
  const report = readFileSync(shell.path('report.json'), 'utf8')
  for (const hidden of kept) expect(report, hidden).not.toContain(hidden)
  expect(statSync(shell.path('report.json')).mode & 0o777).toBe(0o600)
  const written = JSON.parse(report) as { contains: { name: string }[] } & Record<string, unknown>
  const named = written.contains.map(({ name }) => name)
  expect(Object.keys(written)).toEqual(['contains', ...named])
  expect(values).toEqual([{ file: shell.path('report.json'), contains: written.contains }])
  expect(written.blocks).toMatchObject({ count: 1 })
  await shell.refused('support report.json', 'is there already')
})

test('redaction keeps what is public and tells: ids, addresses, paths, sentences', () => {
  const address = formatAddress(newSigner().address)
  const id = 'bafyreibc5fdmlzydzzp4kzfrqu6wplovoyfm4qq6dubs3zzbtnrv43p62y'
  for (const text of [
    address,
    // without its prefix it could be one of two addresses
    'ed25519:EUxaBmwwrqYqwiXRjQE3gbq29GiAibWggXZoRKQBMLsm',
    id,
    `/ip4/192.0.2.7/tcp/4980/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN`,
    '/var/lib/thundercloud/my-node/data/journal.sqlite',
    'runners/andromeda/config.json: KEYWORDS is missing',
    'the disk is full; free disk space for code and logs',
  ]) {
    expect(redactText(text)).toBe(text)
  }
  expect(redactText(`keys/${'0123456789abcdef'.repeat(4)}.json`)).toBe('keys/<redacted>')
  expect(redactValue({ id, at: 1, list: [true, null] })).toEqual({ id, at: 1, list: [true, null] })
})

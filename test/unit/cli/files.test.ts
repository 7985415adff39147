import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { newSigner } from '../../fixtures/node/fake-node.ts'
import { test as base } from '../../fixtures/program/shell.ts'
import { SOME_CODE } from '../../fixtures/trust/statements.ts'

const ADDRESS = formatAddress(newSigner().address)
const CODE = SOME_CODE.toString()
const JOIN = '--join /ip4/127.0.0.1/tcp/1/p2p/12D3KooWKdFbtARowGh3BbQQqrkEAqsk6NgaYJEW1Xm1mKvH6niH'

/** What a path may lead to instead of the file that is wanted. */
const test = base.extend('shell', ({ withNode: shell }) => {
  const write = (name: string, content: string | Uint8Array) =>
    writeFileSync(shell.path(name), content, { mode: 0o600 })
  mkdirSync(shell.path('folder'))
  write('empty', '')
  write('latin', Buffer.from('{"name":"caf\xe9"}', 'latin1'))
  write('huge', '')
  truncateSync(shell.path('huge'), 2 ** 30)
  execFileSync('mkfifo', [shell.path('pipe')])
  write('c.json', '{}')
  mkdirSync(shell.path('web'))
  write('web/server.js', '')
  write('web/service.json', '{"name":"web","toolchain":["node.js"],"run":{"command":["node","server.js"]}}')
  return shell
})

/** Each takes FILE; the texts are what a sentence must name. */
const COMMANDS: [line: string, names: string][] = [
  ['policy check FILE', 'FILE'],
  ['policy replay FILE', 'FILE'],
  ['policy apply FILE --yes', 'FILE'],
  ['policy test FILE --service web/service.json', 'FILE'],
  ['policy test c.json --service FILE', '--service FILE'],
  ['policy test c.json --service web/service.json --statements FILE', '--statements FILE'],
  [`trust delegate ${ADDRESS} --until 1d --key FILE --yes`, '--key FILE'],
  ['key show --key FILE', '--key FILE'],
  ['publish web --key FILE', '--key FILE'],
  ['publish web --staple FILE', '--staple FILE'],
  ['publish FILE', 'FILE'],
  [`status web ${JOIN} --key FILE`, '--key FILE'],
  ['list --api http://127.0.0.1:1 --token-file FILE', '--token-file FILE'],
  ['list --dir FILE', 'FILE'],
  ['start FILE', 'FILE'],
  ['hub members FILE --threshold 1', 'FILE'],
  [`hub attest ${CODE} --safe --key FILE`, '--key FILE'],
  [`hub attest ${CODE} --safe --hub FILE --out o`, 'FILE'],
  ['hub sign FILE --key c.json', 'FILE'],
  ['hub combine FILE c.json --hub c.json --out o', 'FILE'],
  ['hub publish FILE', 'FILE'],
]
const WRONG = ['missing', 'empty/below', 'folder', 'empty', 'latin', 'pipe', 'huge']
/** What Node and the system say among themselves. */
const RAW = /\bE[A-Z]{4,}\b|node:|\n\s+at |errno|syscall/
/** A key is made where none is, and a folder may be a service or an operator's. */
const FINE = ['publish web --key FILE missing']

test.for(COMMANDS)(
  '%s: a FILE that is none is one sentence, and never waited for',
  async ([line, names], { shell }) => {
    const before = readdirSync(shell.root).sort()
    for (const file of WRONG.filter((file) => !FINE.includes(`${line} ${file}`))) {
      const { code, stdout, stderr } = await shell.run(line.replaceAll('FILE', file))
      expect([file, code, stdout]).toEqual([file, 2, ''])
      // the folder has a name of chance, which may look like an error code
      expect(stderr.replaceAll(shell.root, '')).not.toMatch(RAW)
      const [sentence = '', ...more] = stderr.trim().split('\n')
      expect([file, more]).toEqual([file, []])
      expect(sentence).toContain(names.replace('FILE', file))
    }
    expect(readdirSync(shell.root).sort()).toEqual(before)
  },
)

import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../../src/config/index.ts'
import { sentenceOf } from '../../fixtures/config/folder.ts'

describe('a manifest', () => {
  const good = { name: 'web', toolchain: ['node'], run: { command: ['node', 'x.js'] } }
  const run = (extra: object) => ({ ...good, run: { ...good.run, ...extra } })
  it.each<[unknown, string]>([
    [
      { toolchain: [], run: { command: ['x'] } },
      'name is missing; allowed is up to 64 lower-case letters, digits, ".", "_" and "-", beginning with a letter or digit',
    ],
    [{ ...good, keyword: ['a'] }, 'keyword (["a"]) is not a known key; did you mean keywords?'],
    [{ ...good, run: undefined, runn: {} }, 'runn ({}) is not a known key; did you mean run?'],
    [{ name: 'web', toolchain: [] }, 'run is missing; allowed is an object'],
    [
      run({ command: 'node x.js' }),
      'run.command is "node x.js"; allowed is a list of 1 to 64 texts: the program and its arguments',
    ],
    [run({ command: ['a\0b'] }), 'run.command[0] is "a\\u0000b"; allowed is text without a zero byte'],
    [run({ workdir: '../x' }), 'run.workdir is "../x"; allowed is a relative path without ".." or "\\"'],
    [run({ env: { '1A': 'x' } }), 'run.env.1A is no name for an environment variable'],
    [run({ env: { A: 1 } }), 'run.env.A is 1; allowed is text of at most 2048 bytes'],
    [run({ kind: 'daemon' }), 'run.kind is "daemon"; allowed is "task" or "service"'],
    [
      run({ kind: 'task', restart: 'always' }),
      'run.restart is "always", which contradicts run.kind "task": a task ends; "on-failure" and "never" are allowed',
    ],
    [run({ ports: [{ name: 'http', port: 0 }] }), 'run.ports[0].port is 0; allowed is a whole number from 1 to 65535'],
    [
      run({ ports: [1, 2].map((port) => ({ name: 'a', port })) }),
      'run.ports[1].name is "a", which another port has too',
    ],
    [
      { ...good, expires: '31d' },
      'expires is "31d"; allowed is a time like 90, "15m", "24h" or "7d", from 1 to 2592000 seconds',
    ],
    [{ ...good, code: 'x', dir: 'y' }, 'code contradicts dir: the code is there already, or in a folder; keep one'],
    [{ ...good, code: 'Qm123' }, 'code is "Qm123"; allowed is the content id of an archive (bafy... or bafk...)'],
    [
      { ...good, sources: [{ type: 'ftp' }] },
      'sources[0].type is "ftp"; allowed is an object with "type": "mesh", "git", "registry", "https" or "oci"',
    ],
    [
      { ...good, sources: [{ type: 'git', url: 'https://x.org/y' }] },
      'sources[0].commit is missing; allowed is a whole commit id (40 or 64 hex digits)',
    ],
    [
      { ...good, resources: { memory: 0 } },
      'resources.memory is 0; allowed is a size like 268435456 or "256MiB", at least 1',
    ],
    [
      { ...good, network: ['https://x'] },
      'network[0] is "https://x"; allowed is host:port in lower case like "api.github.com:443" or "*.example.org:443"',
    ],
    [
      { ...good, symbiotes: ['abc'] },
      'symbiotes[0] is no usable address: "abc" is not an ed25519 (base58) or BLS12-381 (base58 or 0x hex) address',
    ],
    [{ ...good, depth: 9 }, 'depth is 9; allowed is a whole number from 0 to 8'],
    [
      { ...good, reward: { asset: 'KLY', perHour: 'much' } },
      'reward.perHour is "much"; allowed is an amount like 10 or "0.25"',
    ],
  ])('%j', (raw, sentence) => {
    expect(sentenceOf(() => parseManifest(raw))).toBe(`manifest: ${sentence}`)
  })

  it('is an object', () => {
    expect(sentenceOf(() => parseManifest('text'))).toBe('manifest is "text"; allowed is an object')
  })
})

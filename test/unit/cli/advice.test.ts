import { expect, test } from 'vitest'
import { adviceOn } from '../../../src/cli/policy/advice.ts'
import { readPolicyText } from '../../../src/config/index.ts'

const SERVICE = { author: 'AUTHOR', code: 'bafy', desc: 'two words' }

test.each<[string, string, string[], string[]]>([
  [
    'limits',
    'resources.memory',
    [
      'asks for 1.5 GiB of memory, LIMITS.SERVICE.MEMORY allows 256 MiB of memory',
      'asks for 1500 millicores, LIMITS.SERVICE.CPU allows 1000 millicores',
      'asks for 128 processes, LIMITS.SERVICE.PIDS allows 64 processes',
    ],
    ['"LIMITS": { "SERVICE": { "MEMORY": "2GiB", "CPU": "1.5", "PIDS": 128 } }'],
  ],
  [
    'toolchain',
    'toolchain',
    ['node.js, python are not in one list of PREFER_TOOLCHAIN'],
    ['"PREFER_TOOLCHAIN": { "docker": ["node.js", "python"], "host": ["node.js", "python"] }', 'thundercloud doctor'],
  ],
  [
    'network',
    'network',
    ['asks for a.example.org:443: not in NETCAP.ALLOW', 'asks for b.example.org:80: not in NETCAP.ALLOW'],
    ['"NETCAP": { "MODE": "allowlist", "ALLOW": ["a.example.org:443", "b.example.org:80"] }'],
  ],
  [
    'storage',
    'sources',
    ['may not download from example.org and 2 more: not in ALLOWED_STORAGE'],
    ['"ALLOWED_STORAGE": ["example.org"]'],
  ],
  [
    'freeze',
    'frozen',
    ['MIN_FREEZE on btc is 10.5, and nothing is known of what the author has frozen there'],
    ['thundercloud hub freeze AUTHOR --chain btc --amount 10.5'],
  ],
])('what would change %s is written out, and the file takes it', (rule, field, messages, expected) => {
  const needs = { field, must: 'be' as const, value: 'x' }
  const reasons = messages.map((message) => ({ rule, outcome: 'fail' as const, message, needs }))
  const lines = adviceOn(reasons, SERVICE).flatMap((advice) => advice.lines)
  // what follows a line, in brackets, is said to the reader
  const typed = lines.map((line) => line.replace(/ {3}\(.*\)$/, ''))
  expect(typed).toEqual(expected)
  for (const line of typed.filter((each) => each.startsWith('"'))) {
    const config = JSON.parse(`{ ${line} }`) as { LIMITS?: object }
    const LIMITS = { TOTAL: { MEMORY: '8GiB', CPU: '8', DISK: '8GiB', PIDS: 512 }, ...config.LIMITS }
    expect(() => readPolicyText(JSON.stringify({ ...config, LIMITS }))).not.toThrow()
  }
})

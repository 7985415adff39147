import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const SENTENCE =
  /^Thundercloud needs Node\.js 24 or newer; this is (\S+) \(\S+\): install a newer one, or put it first on PATH\.\n$/

/** A Node.js of this machine that is too old, if there is one. */
function oldNode(): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((dir) => join(dir, 'node'))
    .find((path) => {
      const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
      return Number(/^v(\d+)/.exec(stdout ?? '')?.[1] ?? 99) < 24
    })
}

test.each([[['--version']], [['start', 'somewhere']], [[]]])(
  '%j on a Node.js that is too old: one sentence, exit code 1',
  (argv) => {
    const dir = mkdtempSync(join(tmpdir(), 'tc-old-'))
    try {
      // as the package has it: JavaScript, and nothing of it may be read before the version is known
      const file = join(dir, 'main.mjs')
      writeFileSync(file, stripTypeScriptTypes(readFileSync(MAIN, 'utf8')))
      const old = oldNode()
      const pretend = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.11.0'})"
      const args = old === undefined ? ['--import', pretend, file, ...argv] : [file, ...argv]
      const { status, stdout, stderr } = spawnSync(old ?? process.execPath, args, { encoding: 'utf8' })
      expect([status, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(SENTENCE)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
)

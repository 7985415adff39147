#!/usr/bin/env node
// What is asked most often costs no more than Node itself: nothing is imported before it is needed. Besides, a Node.js
// that is too old could not even read what the rest imports, and a signal that comes early must not be the end.
import { readFileSync } from 'node:fs'
import type { Hangup } from './process-signals.ts'

const OLDEST_NODE = 24
const root = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url)

const hangup: Hangup = { came: false, notify: undefined }
process.on('SIGHUP', () => {
  hangup.came = true
  hangup.notify?.()
})

const argv = process.argv.slice(2)
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `Thundercloud needs Node.js ${OLDEST_NODE} or newer; this is ${process.versions.node} (${process.execPath}): install a newer one, or put it first on PATH.\n`,
  )
  process.exitCode = 1
} else if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`${version()}\n`)
} else {
  const help = helpFor(argv)
  if (help !== undefined) process.stdout.write(help)
  else {
    const { keepCompiledCode } = await import('./compile-cache.ts')
    keepCompiledCode(process.env)
    const { runProgram } = await import('./program.ts')
    await runProgram(hangup, version())
  }
}

function version(): string {
  return (JSON.parse(read('package.json')) as { version: string }).version
}

/** Help that was asked for in the plainest way, from the file that is made of what the parser would say. */
function helpFor(words: readonly string[]): string | undefined {
  const asked =
    words[0] === 'help'
      ? words.slice(1)
      : ['--help', '-h'].includes(words.at(-1) ?? '')
        ? words.slice(0, -1)
        : undefined
  if (asked === undefined) return undefined
  const texts = JSON.parse(read('configs/help.json')) as Record<string, string>
  const name = asked.join(' ')
  return Object.hasOwn(texts, name) ? texts[name] : undefined
}

function read(file: string): string {
  return readFileSync(new URL(file, root), 'utf8')
}

import type { WarmProgram } from './types.ts'

/**
 * The text of a program that waits in the place of a service's, with nothing that the service has not, and runs the service's
 * file as Node.js does with that of its command line. `receive`: statements that wait, and leave the message in `message`.
 */
export function bootstrapText(receive: string): string {
  return `'use strict'
const fs = require('node:fs')
const { resolve } = require('node:path')
const { runMain } = require('node:module')
// what the first line of output needs
require('node:net')
let message
${receive}
const { args, env, cwd } = JSON.parse(message)
for (const [name, value] of Object.entries(env)) process.env[name] = value
process.chdir(cwd)
process.argv.splice(1, 1, resolve(args[0]), ...args.slice(1))
delete require.cache[__filename]
runMain()
`
}

/** One line. */
export function messageFor(program: WarmProgram): string {
  return `${JSON.stringify(program)}\n`
}

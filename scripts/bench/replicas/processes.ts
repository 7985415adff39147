import { readdirSync, readFileSync } from 'node:fs'

/** The processes of a service on this machine, by the last argument of its command. */
export function processesOf(name: string): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const [program = '', ...args] = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0')
      const isService = /(^|\/)node$/.test(program) && args[0] === 'server.js' && args[1] === name
      return isService ? [Number(entry)] : []
    } catch {
      // it has ended meanwhile
      return []
    }
  })
}

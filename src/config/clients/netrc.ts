import { join } from 'node:path'
import type { Credentials } from './authorization.ts'
import type { ClientSettings, CredentialsReader } from './types.ts'

/** The login of a host in `.netrc`, else its default. */
export const netrcCredentials: CredentialsReader = async (settings, url) => {
  const machines = netrcMachines(await netrcText(settings))
  return machines.get(url.hostname) ?? machines.get(undefined)
}

async function netrcText({ env, home, text }: ClientSettings): Promise<string> {
  return (await text(env.NETRC ?? join(home, '.netrc'))) ?? ''
}

/** By host, the first of each; undefined is the default. Macros end at an empty line and are left out. */
function netrcMachines(written: string): Map<string | undefined, Credentials> {
  const words = written
    .replace(/^\s*#.*$/gm, '')
    .replace(/\bmacdef\s[\s\S]*?(\n[ \t]*\n|$)/g, '\n')
    .split(/\s+/)
    .map((word) => word.replace(/^"(.*)"$/, '$1'))
  const found = new Map<string | undefined, Credentials>()
  let host: string | undefined
  let entry: { username: string; password: string } | undefined
  for (let at = 0; at < words.length; at++) {
    const word = words[at]
    if (word === 'machine' || word === 'default') {
      host = word === 'machine' ? words[++at] : undefined
      entry = { username: '', password: '' }
      if (!found.has(host)) found.set(host, entry)
    } else if (entry !== undefined && word === 'login') entry.username = words[++at] ?? ''
    else if (entry !== undefined && word === 'password') entry.password = words[++at] ?? ''
  }
  return found
}

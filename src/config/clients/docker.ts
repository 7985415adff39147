import { join } from 'node:path'
import { z } from 'zod'
import { DOCKER_HUB } from '../../base/image-ref.ts'
import { isLoopbackHost } from '../../base/loopback-host.ts'
import { withoutCredentials } from './authorization.ts'
import type { PackageClient } from './types.ts'

const mirrors = z.object({ 'registry-mirrors': z.array(z.string()) })
const logins = z.object({ auths: z.record(z.string(), z.unknown()) })
/** Beside an identity token, `auth` has no password. */
const login = z.object({ auth: z.base64().min(1), identitytoken: z.literal('').optional() })

/** Docker: `daemon.json` of the engine, and what `docker login` has written into `config.json`. */
export const docker: PackageClient = {
  /** The first mirror, of the user's own engine or of the machine's. It mirrors the default registry alone. */
  async address({ env, home, text }) {
    const own = join(env.XDG_CONFIG_HOME ?? join(home, '.config'), 'docker/daemon.json')
    for (const file of [own, '/etc/docker/daemon.json']) {
      const [first] = mirrors.safeParse(JSON.parse((await text(file)) ?? '{}')).data?.['registry-mirrors'] ?? []
      // the engine takes no mirror with a password
      if (first !== undefined) return withoutCredentials(first) === first ? first : undefined
    }
    return undefined
  },
  /** Logins are by host and port, and go over TLS or to this machine. A credential helper is not asked. */
  async credentials({ env, home, text }, { host, hostname, protocol }) {
    if (protocol !== 'https:' && !isLoopbackHost(hostname)) return undefined
    const file = join(env.DOCKER_CONFIG ?? join(home, '.docker'), 'config.json')
    const { auths = {} } = logins.safeParse(JSON.parse((await text(file)) ?? '{}')).data ?? {}
    const [, found] = Object.entries(auths).find(([registry]) => isLoginFor(registry, host)) ?? []
    const { data } = login.safeParse(found)
    return data && { header: `Basic ${data.auth}` }
  },
}

/** The login for Docker Hub has the name of its old index, and its API another one: all of the Hub have the login. */
function isLoginFor(registry: string, host: string): boolean {
  const named = hostOf(registry)
  return named === host || (named !== undefined && [named, host].every(isOfHub))
}

function isOfHub(host: string): boolean {
  return host === DOCKER_HUB || host.endsWith(`.${DOCKER_HUB}`)
}

/** Of "registry.example.com:5000", or as older clients write it, "https://registry.example.com/v1/". */
function hostOf(registry: string): string | undefined {
  return URL.parse(registry.includes('://') ? registry : `https://${registry}`)?.host
}

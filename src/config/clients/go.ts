import { join } from 'node:path'
import type { ClientReader } from './types.ts'

/** go: the first proxy of GOPROXY, from the environment or from what `go env -w` wrote. */
export const goProxy: ClientReader = async ({ env, home, text }) => {
  const file = env.GOENV ?? join(env.XDG_CONFIG_HOME ?? join(home, '.config'), 'go/env')
  const written = /^GOPROXY=(.*)$/m.exec((await text(file)) ?? '')?.[1]
  return (env.GOPROXY ?? written)?.split(/[,|]/).find((proxy) => /^https?:/.test(proxy.trim()))
}

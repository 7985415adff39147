import { join } from 'node:path'
import type { PackageClient } from './types.ts'

/** cabal: the `url` of the first `repository` that is not a folder. A login stands in it. */
export const cabal: PackageClient = {
  async address({ env, home, text }) {
    const shared = join(env.XDG_CONFIG_HOME ?? join(home, '.config'), 'cabal')
    const files = [env.CABAL_CONFIG, env.CABAL_DIR && join(env.CABAL_DIR, 'config')]
    for (const file of [...files, join(home, '.cabal/config'), join(shared, 'config')]) {
      let inside = false
      for (const line of ((file && (await text(file))) ?? '').split('\n')) {
        // a section goes on as long as its lines are indented
        if (/^\S/.test(line) && !line.startsWith('--')) inside = /^repository\s/.test(line)
        const url = inside ? /^\s+url:\s*(https?:\S+)/.exec(line)?.[1] : undefined
        if (url !== undefined) return url
      }
    }
    return undefined
  },
}

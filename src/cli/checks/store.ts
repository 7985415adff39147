import { join } from 'node:path'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { formatBytes, formatCount, howMany, joinWords, sanitizeText } from '../../base/format.ts'
import { livingOwner } from '../../base/os/pid-lock.ts'
import { inspectStore } from '../../code/index.ts'
import type { Configuration } from '../../config/index.ts'
import { openJournalReader } from '../../journal/index.ts'
import { type Check, ok, warn } from './check.ts'

/** What the code of others takes here, and whether a link of it leads where no archive may. */
export async function checkStore(
  clock: Clock,
  { dataDir, quotas }: Pick<Configuration, 'dataDir' | 'quotas'>,
  signal: AbortSignal,
): Promise<Check> {
  const what = 'code store'
  const dir = join(dataDir, 'code')
  const report = await inspectStore(dir, { signal })
  if (report === undefined) return ok(what, `empty; at most ${formatBytes(quotas.CODE_STORE)} (QUOTAS.CODE_STORE)`)
  const { codes, partial, temp, bytes, files, links, foreign, foreignCount, complete } = report
  const amount = `${howMany(codes.length, 'archive', 'archives')}, ${formatBytes(bytes)} of ${formatBytes(quotas.CODE_STORE)}, ${howMany(files, 'file or folder', 'files and folders')}`
  const found = [
    complete ? amount : `${amount} (there are more)`,
    ...(partial > 0 ? [`${formatCount(partial)} fetched in part`] : []),
  ]
  const idle = idleCodes(clock, dataDir, codes)
  if (idle > 0) found.push(`${formatCount(idle)} of no live service, which are evicted when space is needed`)
  if (foreignCount > 0) {
    const named = `${joinWords(foreign.map((path) => sanitizeText(path, 200)))}${foreignCount > foreign.length ? ' and more' : ''}`
    const count =
      foreignCount === 1 ? 'a link that no archive holds' : `${formatCount(foreignCount)} links that no archive holds`
    return warn(what, [...found, `${count}: ${named}`].join('; '), `stop the node and remove those folders of ${dir}`)
  }
  if (links > 0)
    found.push(links === 1 ? '1 link inside its archive' : `${formatCount(links)} links, each inside its archive`)
  if (temp > 0 && (await livingOwner(join(dataDir, 'node.pid'))) === undefined) {
    found.push(`${formatCount(temp)} left by a crash, which the next start removes`)
  }
  return ok(what, found.join('; '))
}

/** What was refused, or is over: it is not used here. */
function idleCodes(clock: Clock, dataDir: string, codes: readonly string[]): number {
  try {
    using journal = openJournalReader(join(dataDir, 'journal.sqlite'))
    const live = journal.liveCodes(nowSeconds(clock))
    return live === undefined ? 0 : codes.filter((code) => !live.has(code)).length
  } catch {
    // no journal yet, or one that the node will speak of itself
    return 0
  }
}

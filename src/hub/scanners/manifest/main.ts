import { readFileSync } from 'node:fs'
import { checkFolder } from './check.ts'

/**
 * The manifest check, as a scanner: runs in a sandbox and sees nothing of this package but its own folder.
 * Code that carries a private key, or a file that runs as another user, is a finding (1). A description that does not
 * fit the code says nothing of the code in other services: undecided (3). What it mentions beyond its network is noted.
 */
try {
  const service: unknown = JSON.parse(readFileSync(process.env.THUNDERCLOUD_SERVICE as string, 'utf8'))
  const { found, unfit, notes } = checkFolder(process.env.THUNDERCLOUD_CODE as string, service)
  if (found.length > 0) {
    console.log(JSON.stringify({ severity: 'high', findings: [...found, ...unfit] }))
    process.exitCode = 1
  } else if (unfit.length > 0) {
    console.log(JSON.stringify({ findings: unfit }))
    process.exitCode = 3
  } else {
    console.log(JSON.stringify({ findings: notes }))
  }
} catch (error) {
  // not 1, with which Node itself would end: that means "found"
  console.error(error)
  process.exitCode = 2
}

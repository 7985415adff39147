/**
 * Builds the dashboard into dist/dashboard, with brotli and gzip beside each file. `node scripts/dashboard/build.ts` does nothing
 * where the sources and the lock file are those of the build that is there.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { OUTPUT, PAGE, ROOT, viteConfig } from './vite.ts'

/** Written last: a build that was killed midway is made again. */
const STAMP = join(ROOT, 'node_modules/.thundercloud-dashboard')

/** What the dashboard is made of: its sources, how they are built, and the versions of what they use. */
function fingerprint(): string {
  const hash = createHash('sha256')
  const files = [
    ...globSync('**/*.{ts,tsx,css,html,svg}', { cwd: PAGE }).map((name) => join(PAGE, name)),
    ...globSync('*.ts', { cwd: import.meta.dirname }).map((name) => join(import.meta.dirname, name)),
    join(ROOT, 'configs/schemas/runner.json'),
    join(ROOT, 'package-lock.json'),
  ]
  for (const file of files.sort()) hash.update(`${file.slice(ROOT.length)}\n`).update(readFileSync(file))
  return hash.digest('hex')
}

function compress(file: string): void {
  const bytes = readFileSync(file)
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength }
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }))
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
}

export async function buildDashboard(): Promise<'built' | 'fresh'> {
  const wanted = fingerprint()
  const there = existsSync(STAMP) && existsSync(join(OUTPUT, 'index.html'))
  if (there && readFileSync(STAMP, 'utf8') === wanted) return 'fresh'
  rmSync(STAMP, { force: true })
  // where nothing has changed, the library is not loaded
  const { build } = await import('vite')
  await build(viteConfig)
  for (const name of globSync('**/*.{js,css,html,svg}', { cwd: OUTPUT })) compress(join(OUTPUT, name))
  writeFileSync(STAMP, wanted)
  return 'built'
}

if (import.meta.main) await buildDashboard()

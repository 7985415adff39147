// Writes what is derived from the sources: JSON Schemas, the reference of all settings, the program's help,
// the linter's rules of which folder may import which, ARCHITECTURE.md's table of which does, and the table of the
// limits that the compliance tests exceed.
// With --check it writes nothing, and fails with one sentence when a file is stale.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { COMMANDS } from '../src/cli/commands/index.ts'
import { helpTexts } from '../src/cli/help-texts.ts'
import { FILE_SCHEMAS, type FileKind, jsonSchemaText, referenceText } from '../src/config/index.ts'
import { rulesReference } from '../src/runner/andromeda/reference.ts'
import { resultsSchemaText } from '../src/simulation/output/results.ts'
import { scenarioSchemaText } from '../src/simulation/scenario/scenario.ts'
import { withLimitsTable } from '../test/compliance/limits/matrix.ts'
import { boundariesText } from './biome/floors.ts'
import { withImportTable } from './import-graph.ts'
import { withMetricsTable } from './metrics-table.ts'

const root = join(import.meta.dirname, '..')

const generated: Record<string, string> = {
  ...Object.fromEntries(
    Object.keys(FILE_SCHEMAS).map((kind) => [`configs/schemas/${kind}.json`, jsonSchemaText(kind as FileKind)]),
  ),
  'configs/schemas/results.json': resultsSchemaText(),
  'configs/schemas/scenario.json': scenarioSchemaText(),
  'configs/help.json': `${JSON.stringify(helpTexts(await Promise.all(COMMANDS.map(({ load }) => load()))), null, 2)}\n`,
  'configs/reference.md': referenceText([rulesReference()]),
  'scripts/biome/boundaries.json': boundariesText(),
  'docs/what-a-service-gets.md': withLimitsTable(await readFile(join(root, 'docs/what-a-service-gets.md'), 'utf8')),
  'docs/metrics.md': withMetricsTable(await readFile(join(root, 'docs/metrics.md'), 'utf8')),
  'ARCHITECTURE.md': withImportTable(await readFile(join(root, 'ARCHITECTURE.md'), 'utf8'), root),
}

const stale: string[] = []
for (const [name, text] of Object.entries(generated)) {
  const path = join(root, name)
  const current = await readFile(path, 'utf8').catch(() => undefined)
  if (current === text) continue
  stale.push(name)
  if (process.argv.includes('--check')) continue
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

if (stale.length === 0) {
  console.log('Everything generated is fresh.')
} else if (process.argv.includes('--check')) {
  console.error(`${stale.join(', ')} ${stale.length === 1 ? 'is' : 'are'} stale; run \`npm run generate\`.`)
  process.exitCode = 1
} else {
  console.log(`Wrote ${stale.join(', ')}.`)
}

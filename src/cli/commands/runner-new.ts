import { mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { delimiter, join, relative, sep } from 'node:path'
import { nameSchema } from '../../../protocols/service.ts'
import { errnoOf, InputError, systemMessageOf } from '../../base/errors.ts'
import { loadRunnersFolder, SAMPLE_RUNNER } from '../../config/index.ts'
import { parseJson } from '../../config/json.ts'
import { argument, command, flag } from '../command.ts'
import { operatorFolder } from '../operator-folder.ts'
import { linkPackage } from '../runner-new/link.ts'
import { json, packageText, runnerText, testText, tsconfigText } from '../runner-new/template.ts'

/** What the written runner refuses, so that its rule has something to do. */
const REFUSED_KEYWORDS = ['game']

export const runnerNew = command({
  name: 'runner new',
  summary: 'Write a runner to start from, and a test for it',
  details:
    "It begins from the default runner, with the settings of the one that decides now, and goes to the operator's folder.",
  args: { name: argument('NAME', 'the runner\'s name: lower-case letters, digits, ".", "_" and "-"') },
  options: { ts: flag('in TypeScript; Node runs it as it is') },
  async run(cli, { name, ts }) {
    const { cwd, env, out, signal, version } = cli
    const problem = nameSchema.safeParse(name).error?.issues[0]?.message
    if (problem !== undefined) throw new InputError(`NAME is ${JSON.stringify(name)}; it ${problem}`)
    if (name === 'node_modules') throw new InputError('NAME is "node_modules", where packages are; take another')
    const language = ts ? 'ts' : 'js'
    const place = await loadRunnersFolder(await operatorFolder(cli), { env, signal })
    const folder = join(place.runners, name)
    const files: Record<string, string> = {
      [`runner.${language}`]: runnerText(language),
      'config.json': await settings(place.configFile, relative(folder, place.schema)),
      [`runner.test.${language}`]: testText(language),
      'package.json': packageText(name, language),
      ...(ts ? { 'tsconfig.json': tsconfigText() } : {}),
    }
    await refuseUnlessEmpty(folder)
    try {
      await mkdir(folder, { recursive: true })
      for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text, { flag: 'wx' })
      await linkPackage(place.dir, version)
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      throw new InputError(`${folder} cannot be written: ${systemMessageOf(error)}`, { cause: error })
    }
    const node = await nodeCommand(env.PATH)
    const near = relative(cwd, folder)
    const test = join(near.startsWith('..') ? folder : near || '.', `runner.test.${language}`)
    const RUNNER = `${name}/runner.${language}`
    out.result({ name, folder, files: Object.keys(files), RUNNER }, () => [
      `Wrote ${folder}: ${Object.keys(files).join(', ')}.`,
      'Change runner and test as you like. The test runs with:',
      `  ${node} --test ${test}`,
      'To let it decide, write into services.json, and send the node SIGHUP or start it again:',
      `  "RUNNER": ${JSON.stringify(RUNNER)}`,
    ])
  },
})

/** Settings of the runner that decides now, where they can be read, so that nothing else changes with the runner. */
async function settings(configFile: string, schema: string): Promise<string> {
  const $schema = schema.split(sep).join('/')
  const { $schema: _schema, CUSTOM, ...rest } = await readSettings(configFile)
  return json({ $schema, ...rest, CUSTOM: { ...(typeof CUSTOM === 'object' ? CUSTOM : {}), REFUSED_KEYWORDS } })
}

async function readSettings(configFile: string): Promise<Record<string, unknown>> {
  try {
    const found = parseJson(await readFile(configFile, 'utf8'))
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as Record<string, unknown>
  } catch {
    // without a working runner, start from the one that `init` writes
  }
  return SAMPLE_RUNNER
}

async function refuseUnlessEmpty(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return []
    throw new InputError(`${folder} cannot be read: ${systemMessageOf(error)}`, { cause: error })
  })
  if (found.length > 0)
    throw new InputError(`${folder} is there already; nothing in it is overwritten, take another NAME`)
}

/** How this very Node is called: by its name where the search path leads to it. */
async function nodeCommand(path = ''): Promise<string> {
  const own = await realpath(process.execPath)
  for (const folder of path.split(delimiter)) {
    const found = await realpath(join(folder, 'node')).catch(() => undefined)
    if (found !== undefined) return found === own ? 'node' : process.execPath
  }
  return process.execPath
}

import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { nameSchema } from '../../../protocols/service.ts'
import { packageFile } from '../../base/child-entry.ts'
import { errnoOf, InputError, systemMessageOf } from '../../base/errors.ts'
import { joinWords } from '../../base/format.ts'
import { commentedManifest, jsonSchemaText, SERVICE_TEMPLATES, type ServiceTemplate } from '../../config/index.ts'
import { argument, command, type Option, optionalArgument } from '../command.ts'

/** Never packed with the code. */
const OWN_FOLDER = '.thundercloud'

const templateOption: Option<ServiceTemplate | undefined> = {
  takes: 'TEMPLATE',
  describe: `write code to start from, too: ${joinWords(SERVICE_TEMPLATES, 'or')}`,
  read(given, flag) {
    if (given === undefined) return undefined
    const found = SERVICE_TEMPLATES.find((name) => name === given)
    if (found !== undefined) return found
    throw new InputError(`${flag} is ${JSON.stringify(given)}; allowed is ${joinWords(SERVICE_TEMPLATES, 'or')}`)
  },
}

export const serviceNew = command({
  name: 'service new',
  summary: 'Write a commented manifest to start from',
  details: [
    'web: an HTTP server. static: a server of the files in public/. task: computes, leaves a result and ends. cron: a job again and again.',
    'database: keys and values over HTTP, in SQLite; its file lives as long as one run.',
    'Example: thundercloud service new hello --template web',
  ].join('\n'),
  args: {
    name: argument('NAME', 'the service\'s name: lower-case letters, digits, ".", "_" and "-"'),
    dir: optionalArgument('DIR', 'the folder of its code (default: a folder of that name)'),
  },
  options: { template: templateOption },
  async run({ cwd, out }, { name, dir, template }) {
    const problem = nameSchema.safeParse(name).error?.issues[0]?.message
    if (problem !== undefined) throw new InputError(`NAME is ${JSON.stringify(name)}; it ${problem}`)
    const folder = resolve(cwd, dir ?? name)
    const code = template === undefined ? {} : await codeOf(template)
    const files = { 'service.json': commentedManifest(name, `./${OWN_FOLDER}/manifest.json`, template), ...code }
    for (const path of Object.keys(files)) await refuseWhereItIs(join(folder, path))
    const written: string[] = []
    try {
      await mkdir(join(folder, OWN_FOLDER), { recursive: true })
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true })
        await using file = await open(join(folder, path), 'wx')
        written.push(join(folder, path))
        await file.writeFile(text)
      }
      await writeFile(join(folder, OWN_FOLDER, 'manifest.json'), jsonSchemaText('manifest'))
    } catch (error) {
      for (const path of written) await rm(path, { force: true })
      if (errnoOf(error) === undefined) throw error
      throw new InputError(`${folder} cannot be written: ${systemMessageOf(error)}`, { cause: error })
    }
    const file = join(folder, 'service.json')
    out.result({ name, file, ...(template && { code: Object.keys(code) }) }, () => [
      template === undefined
        ? `Wrote ${file}. Put the code beside it, then:`
        : `Wrote ${file} and ${joinWords(Object.keys(code))}. Change them as you like, then:`,
      `  thundercloud publish ${dir ?? name} --wait`,
    ])
  },
})

/** Paths and texts of a template's code. */
async function codeOf(template: ServiceTemplate): Promise<Record<string, string>> {
  const root = packageFile(`configs/templates/${template}`)
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return Object.fromEntries(
    await Promise.all(files.toSorted().map(async (file) => [relative(root, file), await readFile(file, 'utf8')])),
  )
}

async function refuseWhereItIs(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined)
  if (found !== undefined) throw new InputError(`${file} is there already; it is not overwritten`)
}

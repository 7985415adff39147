import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { nameSchema } from '../../../protocols/service.ts'
import { errnoOf, InputError, systemMessageOf } from '../../base/errors.ts'
import { commentedManifest, jsonSchemaText } from '../../config/index.ts'
import { argument, command, optionalArgument } from '../command.ts'

/** Never packed with the code. */
const OWN_FOLDER = '.thundercloud'

export const serviceNew = command({
  name: 'service new',
  summary: 'Write a commented manifest to start from',
  args: {
    name: argument('NAME', 'the service\'s name: lower-case letters, digits, ".", "_" and "-"'),
    dir: optionalArgument('DIR', 'the folder of its code (default: a folder of that name)'),
  },
  options: {},
  async run({ cwd, out }, { name, dir }) {
    const problem = nameSchema.safeParse(name).error?.issues[0]?.message
    if (problem !== undefined) throw new InputError(`NAME is ${JSON.stringify(name)}; it ${problem}`)
    const folder = resolve(cwd, dir ?? name)
    const file = join(folder, 'service.json')
    try {
      await mkdir(join(folder, OWN_FOLDER), { recursive: true })
      await writeFile(file, commentedManifest(name, `./${OWN_FOLDER}/manifest.json`), { flag: 'wx' })
      await writeFile(join(folder, OWN_FOLDER, 'manifest.json'), jsonSchemaText('manifest'))
    } catch (error) {
      if (errnoOf(error) === 'EEXIST')
        throw new InputError(`${file} is there already; it is not overwritten`, { cause: error })
      if (errnoOf(error) === undefined) throw error
      throw new InputError(`${file} cannot be written: ${systemMessageOf(error)}`, { cause: error })
    }
    out.result({ name, file }, () => [
      `Wrote ${file}. Put the code beside it, then:`,
      `  thundercloud publish ${dir ?? name} --wait`,
    ])
  },
})

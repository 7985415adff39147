import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { argument, command } from '../command.ts'
import { checkNewPath } from '../new-path.ts'
import { operatorFolder } from '../operator-folder.ts'
import { table } from '../output/output.ts'
import { collect } from '../support/collect.ts'
import { redactValue } from '../support/redact.ts'
import { knownSecrets } from '../support/secrets.ts'

export const support = command({
  name: 'support',
  summary: 'Write what helps others to find a fault into one file, without secrets',
  details: [
    'The file is JSON that you can read before you send it; its field "contains" says what is in it. Keys, tokens, passwords in addresses, and what',
    'looks like one are taken out. Logs of services, descriptions and addresses of neighbours are not in it. Names of services, ids and your own addresses are.',
    'Example: thundercloud support report.json',
  ].join('\n'),
  args: { file: argument('FILE', 'a new file') },
  options: {},
  async run(cli, { file }) {
    const path = resolve(cli.cwd, file)
    await checkNewPath(path)
    const folder = await operatorFolder(cli)
    using progress = cli.out.progress('collecting')
    const sections = await collect(cli, folder)
    const settings = sections.find(({ name }) => name === 'settings')?.value
    const secrets = await knownSecrets(folder, cli.env, settings)
    progress[Symbol.dispose]()
    const contains = sections.map(({ name, about }) => ({ name, about }))
    const values = Object.fromEntries(sections.map(({ name, value }) => [name, redactValue(value, secrets)]))
    await writeFile(path, `${JSON.stringify({ contains, ...values }, null, 2)}\n`, { flag: 'wx', mode: 0o600 })
    cli.out.result({ file: path, contains }, () => [
      ...table(
        ['IN THE FILE', ''],
        contains.map(({ name, about }) => [name, about]),
      ),
      '',
      `Read ${path} before you send it.`,
    ])
  },
})

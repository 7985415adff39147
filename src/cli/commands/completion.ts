import { InputError } from '../../base/errors.ts'
import { argument, command } from '../command.ts'
import { bashCompletion } from '../completion/bash.ts'
import { completionsOf } from '../completion/command-tree.ts'
import { fishCompletion } from '../completion/fish.ts'
import { zshCompletion } from '../completion/zsh.ts'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

export const completion = command({
  name: 'completion',
  summary: 'Print what has a shell complete commands and options',
  details: [
    'bash:  eval "$(thundercloud completion bash)"   in ~/.bashrc',
    'zsh:   eval "$(thundercloud completion zsh)"    in ~/.zshrc, after compinit',
    'fish:  thundercloud completion fish > ~/.config/fish/completions/thundercloud.fish',
  ].join('\n'),
  args: { shell: argument('SHELL', 'bash, zsh or fish') },
  options: {},
  async run(cli, { shell }) {
    if (!isShell(shell)) {
      throw new InputError(`SHELL is ${JSON.stringify(shell)}; allowed are ${Object.keys(SHELLS).join(', ')}`)
    }
    const script = SHELLS[shell](completionsOf(await cli.loadProgram()))
    cli.out.result({ shell, script }, () => [script.trimEnd()])
  },
})

function isShell(text: string): text is keyof typeof SHELLS {
  return Object.hasOwn(SHELLS, text)
}

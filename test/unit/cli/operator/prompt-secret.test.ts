import { PassThrough } from 'node:stream'
import { expect } from 'vitest'
import { promptSecret } from '../../../../src/cli/output/prompt-secret.ts'
import { test } from '../../../fixtures/program/shell.ts'

function openTerminal() {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} })
  const said: string[] = []
  const stderr = { isTTY: true, write: (text: string) => void said.push(text) }
  const { signal } = new AbortController()
  return { stdin, said, ask: (question: string) => promptSecret(question, { stdin, stderr, signal, json: false }) }
}

test('a secret is asked for twice at one terminal, and none of it is shown', async () => {
  const { stdin, said, ask } = openTerminal()
  const first = ask('Passphrase')
  stdin.write('correct horsf\u007fe\r')
  expect(await first).toBe('correct horse')
  const again = ask('The same again')
  stdin.write('correct horse\r')
  expect(await again).toBe('correct horse')
  expect(said.join('')).toBe('Passphrase: \nThe same again: \n')
})

test('Ctrl-C ends the second question like the first', async () => {
  const { stdin, ask } = openTerminal()
  for (const before of ['first', 'second']) {
    const asked = ask(before)
    stdin.write('half\u0003')
    await expect(asked).rejects.toThrow('interrupted')
  }
})

import { SCOPES, type Scope } from '../../api/access/principal.ts'
import { nowSeconds } from '../../base/clock.ts'
import { InputError } from '../../base/errors.ts'
import { nodeClient } from '../client/node-client.ts'
import { argument, command, duration, required } from '../command.ts'
import { table } from '../output/output.ts'
import { when } from '../output/text.ts'

export const tokenNew = command({
  name: 'token new',
  summary: "Make a token for the node's HTTP API, with a scope and an end",
  details: [
    'A program sends it as "Authorization: Bearer TOKEN", and a command reads it from a file: --api URL --token-file FILE.',
    'read: everything that can be asked. publish: also announcements, manifests and archives. operate: everything.',
    'Example: thundercloud token new --name grafana --scope read --for 30d',
  ].join('\n'),
  args: {},
  options: {
    name: required('NAME', 'what it is for'),
    scope: required('SCOPE', 'read, publish or operate'),
    for: duration('it ends after this time', '30d'),
  },
  async run(cli, { name, scope, for: seconds }) {
    if (!isScope(scope)) throw new InputError(`--scope is ${JSON.stringify(scope)}; allowed are ${SCOPES.join(', ')}`)
    const made = await (await nodeClient(cli)).access.newToken({ name, scope, seconds }, { signal: cli.signal })
    cli.out.result(made, () => [made.secret])
    cli.out.note(`It is not shown again. \`thundercloud token revoke ${made.token.id}\` ends it.`)
  },
})

export const tokenLs = command({
  name: 'token ls',
  summary: "Tokens for the node's HTTP API, beside api.token",
  args: {},
  options: {},
  async run(cli) {
    const tokens = await (await nodeClient(cli)).access.tokens({ signal: cli.signal })
    const now = nowSeconds(cli.clock)
    cli.out.result(tokens, () => {
      if (tokens.length === 0) return ['There is no token beside api.token; `thundercloud token new` makes one.']
      const rows = tokens.map(({ id, name, scope, createdAt, expires }) => {
        return [id, name, scope, when(createdAt, now), when(expires, now)]
      })
      return table(['ID', 'NAME', 'SCOPE', 'MADE', 'ENDS'], rows)
    })
  },
})

export const tokenRevoke = command({
  name: 'token revoke',
  summary: 'End a token, and the sessions that it opened',
  args: { id: argument('ID', 'the id that `thundercloud token ls` shows') },
  options: {},
  async run(cli, { id }) {
    await (await nodeClient(cli)).access.revokeToken(id, { signal: cli.signal })
    cli.out.result({ revoked: id }, () => [`Token ${id} has ended.`])
  },
})

function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text)
}

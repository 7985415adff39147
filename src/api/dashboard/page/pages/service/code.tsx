import type { JSX } from 'preact'
import { formatMs } from '../../../../../base/format.ts'
import type { Explanation } from '../../../../../node/types.ts'
import { sourceText } from '../../../../../services/source-text.ts'
import type { Resource } from '../../data/resource.ts'
import { bytesText, visible } from '../../data/text.ts'
import { Card, Fact, Id, State } from '../../parts/bits.tsx'
import { Show } from '../../parts/states.tsx'
import { Ago } from '../../parts/time.tsx'

type Code = Explanation['code']
type Failure = Code['failures'][number]

const STATES = {
  complete: ['pass', 'here'],
  fetching: ['defer', 'being fetched'],
  partial: ['defer', 'here in part'],
  damaged: ['fail', 'damaged on this disk; it is fetched again'],
  absent: ['calm', 'not here'],
} as const

const ORIGINS = {
  local: 'this node: it was published or added here',
  inline: 'the announcement itself',
  mesh: 'peers of the mesh',
  git: 'a git repository',
  https: 'an HTTPS address',
  oci: 'a registry of images',
  registry: 'a package registry',
} as const

/** Where the code of this service came from, and which of its sources were refused on the way. */
export function CodeCard({ why }: { why: Resource<Explanation> }): JSX.Element {
  return (
    <Card title="Code">
      <Show of={why}>
        {({ code }) => (
          <>
            <Origin code={code} />
            <Refused failures={code.failures} />
          </>
        )}
      </Show>
    </Card>
  )
}

function Origin({ code: { code, state, bytes, provenance } }: { code: Code }): JSX.Element {
  const [tone, text] = STATES[state]
  const source = provenance === undefined ? undefined : sourceText(provenance)
  return (
    <dl class="facts live-value">
      <Fact name="Content id">
        <Id of={code} />
      </Fact>
      <Fact name="On this node">
        <State of={tone}>{text}</State>
      </Fact>
      {bytes === undefined ? null : <Fact name="Size">{bytesText(bytes)}</Fact>}
      {state === 'complete' ? (
        <Fact name="Came from">
          {provenance === undefined
            ? 'none of its own sources: it was here for another service'
            : ORIGINS[provenance.from]}
          {source === undefined ? null : <bdi class="soft block">{visible(source, 700)}</bdi>}
        </Fact>
      ) : null}
      {provenance === undefined ? null : (
        <Fact name="Arrived">
          <Ago at={provenance.at} />
          {provenance.ms === undefined ? null : <span class="soft">, in {formatMs(provenance.ms)}</span>}
        </Fact>
      )}
    </dl>
  )
}

/** In the order in which they were tried. */
function Refused({ failures }: { failures: readonly Failure[] }): JSX.Element | null {
  if (failures.length === 0) return null
  return (
    <section aria-label="Sources that failed">
      <h3>Sources that failed</h3>
      <ol class="rows">
        {failures.map(({ source, problem, next }) => (
          <li key={source}>
            <div>
              <State of="fail">failed</State> <bdi>{visible(source, 300)}</bdi>
              <bdi class="block">{visible(reasonOf(source, problem), 700)}</bdi>
              {next === undefined ? null : (
                <div class="soft small">
                  Tried next: <bdi>{visible(next, 300)}</bdi>
                </div>
              )}
            </div>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** A problem mostly begins with its source, which stands above it. */
function reasonOf(source: string, problem: string): string {
  return problem.startsWith(source) ? problem.slice(source.length).replace(/^[: ]+/, '') : problem
}

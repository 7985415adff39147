import type { JSX } from 'preact'
import type { PolicyFacts } from '../../../../../node/types.ts'
import { pathTo } from '../../data/router.ts'
import { bytesText, coresText } from '../../data/text.ts'
import { Card, ServiceLink } from '../../parts/bits.tsx'
import { AuthorLink } from '../../parts/links.tsx'
import { Empty } from '../../parts/states.tsx'

/** The rest is a click away. */
const MAX_ROWS = 8

export function RunningHere({ running }: { running: PolicyFacts['facts']['running'] }): JSX.Element {
  const sorted = [...running].sort((a, b) => b.memory - a.memory)
  return (
    <Card
      title="Runs"
      note={
        sorted.length > MAX_ROWS ? (
          <a href={pathTo('services', undefined, { state: 'running' })}>all {sorted.length}</a>
        ) : (
          'each holds what it was granted'
        )
      }
    >
      {sorted.length === 0 ? (
        <Empty title="No service runs here">
          <a href={pathTo('services')}>Each service's page says why</a>, and what would change it.
        </Empty>
      ) : (
        <table class="table live-value">
          <thead>
            <tr>
              <th scope="col">Service</th>
              <th scope="col" class="wide-only">
                Author
              </th>
              <th scope="col" class="end">
                Memory
              </th>
              <th scope="col" class="end">
                Processor
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, MAX_ROWS).map(({ id, name, author, memory, cpu, own }) => (
              <tr key={id}>
                <td>
                  <ServiceLink id={id} name={name} />
                  {own ? <span class="soft small"> own</span> : null}
                </td>
                <td class="wide-only">
                  <AuthorLink of={author} />
                </td>
                <td class="end number">{bytesText(memory)}</td>
                <td class="end number">{coresText(cpu)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}

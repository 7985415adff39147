import type { JSX } from 'preact'
import type { Health, PolicyFacts } from '../../../../../node/types.ts'
import { bytesText, coresText, visible } from '../../data/text.ts'
import { Card, Meter, State } from '../../parts/bits.tsx'

type Props = { facts: PolicyFacts['facts']; executors: Health['executors'] }

/** What runs hold, of what runs may hold here: that and what is free now. */
export function Capacity({ facts, executors }: Props): JSX.Element {
  const { capacity, running } = facts
  const held = (key: 'memory' | 'cpu' | 'disk' | 'pids') => running.reduce((sum, run) => sum + run[key], 0)
  const of = (used: number, free: number, text: (value: number) => string) => ({
    used,
    total: used + free,
    text: `${text(used)} of ${text(used + free)}`,
  })
  return (
    <Card title="Capacity" note="granted to runs">
      <div class="meters live-value">
        <Meter label="Memory" {...of(held('memory'), capacity.memoryBytes, bytesText)} />
        <Meter label="Processor" {...of(held('cpu'), capacity.cpuMillicores, coresText)} />
        <Meter label="Disk" {...of(held('disk'), capacity.diskBytes, bytesText)} />
        <Meter label="Processes" {...of(held('pids'), capacity.pids, String)} />
        <Meter label="Runs" {...of(running.length, capacity.runs, String)} />
      </div>
      <h3>Executors</h3>
      <ul class="rows live-value">
        {executors.map(({ name, available, detail }) => (
          <li key={name}>
            <b>{name}</b>
            <State of={available ? 'pass' : 'fail'}>{available ? 'available' : 'not available'}</State>
            <span class="soft small">{visible(detail)}</span>
          </li>
        ))}
      </ul>
    </Card>
  )
}

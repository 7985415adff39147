import type { JSX } from 'preact'
import type { RunView } from '../../../../../node/types.ts'
import { bytesText, visible } from '../../data/text.ts'
import { Card, Fact, State } from '../../parts/bits.tsx'
import { Ago, durationText } from '../../parts/time.tsx'
import { UsagePlots } from './usage-plots.tsx'

/** The run of the service on this node, and what it uses. */
export function RunCard({ id, run }: { id: string; run: RunView }): JSX.Element {
  const { usage } = run
  return (
    <Card title="Run" note={<>by the executor {run.executor}</>}>
      <dl class="facts facts-row live-value">
        <Fact name="State">
          <State of={run.state} />
        </Fact>
        <Fact name="Since">
          <Ago at={run.since} />
        </Fact>
        <Fact name="Healthy">{run.healthy === undefined ? 'not known yet' : run.healthy ? 'yes' : 'no'}</Fact>
        <Fact name="Restarts">{run.restarts}</Fact>
        {run.exitCode === undefined ? null : <Fact name="Exit code">{run.exitCode}</Fact>}
        {usage === undefined ? null : (
          <>
            <Fact name="Ran for">{durationText(usage.runningMs / 1000)}</Fact>
            <Fact name="Processor time">{durationText(usage.cpuMs / 1000)}</Fact>
            <Fact name="Received">{bytesText(usage.receivedBytes)}</Fact>
            <Fact name="Sent">{bytesText(usage.sentBytes)}</Fact>
          </>
        )}
      </dl>
      {run.detail === undefined ? null : <p>{visible(run.detail, 400)}</p>}
      <UsagePlots id={id} run={run} />
    </Card>
  )
}

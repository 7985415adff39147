import type { Events } from '../../base/events.ts'
import type { Dormitory, ExecutionEvents } from '../../execution/index.ts'
import type { IntakeEvents } from '../../intake/index.ts'
import type { AdmissionEvents } from '../events.ts'
import type { NodeFactsSource } from '../facts/node-facts.ts'

export interface DormitoryWatcherComponents {
  events: Pick<Events<AdmissionEvents & ExecutionEvents & IntakeEvents>, 'on'>
  facts: Pick<NodeFactsSource, 'forget' | 'refreshMachine'>
  dormitory: Pick<Dormitory, 'get' | 'wake'>
  /** It is over, whatever it waited for. */
  removeParked(id: string): void
}

/** What wakes parked services, and what ends their wait: capacity, executors, newer versions, stops. */
export function watchDormitory(components: DormitoryWatcherComponents): Disposable {
  const { events, facts, dormitory, removeParked } = components
  const subscriptions = new DisposableStack()

  async function onFreed(id: string): Promise<void> {
    facts.forget(id)
    await facts.refreshMachine()
    dormitory.wake({ on: 'capacity' })
    // while its own run was ending, nothing could wake it
    const own = dormitory.get(id)?.on[0]
    if (own !== undefined && own.on !== 'replica') dormitory.wake(own, [id])
  }

  subscriptions.use(events.on('facts:capacity-grown', () => dormitory.wake({ on: 'capacity' })))
  subscriptions.use(
    events.on('facts:executor-available', ({ executor }) => dormitory.wake({ on: 'executor', executor })),
  )
  subscriptions.use(events.on('execution:freed', ({ service }) => void onFreed(service)))
  subscriptions.use(
    events.on('execution:state', ({ state }) => {
      if (state === 'running') void facts.refreshMachine()
    }),
  )
  subscriptions.use(events.on('intake:superseded', ({ old }) => removeParked(old)))
  subscriptions.use(
    events.on('intake:stopped', ({ ids }) => {
      for (const id of ids) removeParked(id)
    }),
  )
  return subscriptions
}

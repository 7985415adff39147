import { CONFIG_SLOTS, FACT_SLOTS } from './constants.ts'
import type { ReceivedService, RunnerSnapshot } from './contract.ts'
import type { Item, SharedFacts } from './ipc-messages.ts'

export interface BatchWriter {
  ask(id: number, service: ReceivedService, snapshot: RunnerSnapshot): void
  cancel(id: number): void
  /** The line that carries everything since the last call; undefined when there is nothing. */
  take(): string | undefined
}

/** Builds the lines for one process, and knows which configurations and facts it has already. */
export function createBatchWriter(): BatchWriter {
  const configs = createSlots<object>(CONFIG_SLOTS)
  const facts = createSlots<string>(FACT_SLOTS)
  let items: string[] = []
  let last: { readonly running: SharedFacts['running']; readonly text: string } = { running: [], text: '[]' }
  // What runs is the longest part of the facts and changes least: the node hands in the same objects until it does.
  const textOf = ({ own, capacity, running }: SharedFacts) => {
    if (!sameItems(last.running, running)) last = { running, text: JSON.stringify(running) }
    return `{"own":${JSON.stringify(own)},"capacity":${JSON.stringify(capacity)},"running":${last.text}}`
  }
  const add = (item: Item) => items.push(JSON.stringify(item))
  return {
    ask(id, service, snapshot) {
      const { config, own, capacity, running, ...rest } = snapshot
      // Configurations are the same when they are the same object; facts when they read the same.
      const configSlot = configs.find(config, (slot) => add(['config', slot, config]))
      const text = textOf({ own, capacity, running })
      const factsSlot = facts.find(text, (slot) => items.push(`["facts",${slot},${text}]`))
      add(['ask', id, configSlot, factsSlot, rest, service])
    },
    cancel(id) {
      add(['cancel', id])
    },
    take() {
      if (items.length === 0) return undefined
      const line = `[${items.join(',')}]\n`
      items = []
      return line
    },
  }
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]))
}

/** A fixed number of slots, overwritten in turn. */
function createSlots<K>(count: number) {
  const slotOf = new Map<K, number>()
  let next = 0
  return {
    find(key: K, onNew: (slot: number) => void): number {
      const known = slotOf.get(key)
      if (known !== undefined) return known
      const slot = next++ % count
      for (const [old, at] of slotOf) if (at === slot) slotOf.delete(old)
      slotOf.set(key, slot)
      onNew(slot)
      return slot
    },
  }
}

import type { ComponentChildren, JSX } from 'preact'
import type { Draft } from './manifest.ts'

type Props = {
  draft: Draft
  change(draft: Draft): void
  submit(): void
  busy: boolean
  children: ComponentChildren
}

const FIELDS: readonly { key: keyof Draft; name: string; hint?: string; wide?: boolean; required?: boolean }[] = [
  { key: 'name', name: 'Name', required: true },
  { key: 'title', name: 'Title', hint: 'one line for people' },
  { key: 'desc', name: 'Description', wide: true },
  { key: 'command', name: 'Command', hint: 'node server.js', wide: true, required: true },
  { key: 'toolchain', name: 'Toolchain', required: true },
  { key: 'keywords', name: 'Keywords', hint: 'web, demo' },
  { key: 'port', name: 'Port that it listens on', hint: 'none' },
  { key: 'memory', name: 'Memory', required: true },
  { key: 'cpu', name: 'Processor, in cores', required: true },
  { key: 'expires', name: 'Expires after', required: true },
  { key: 'replicas', name: 'Runs wanted', required: true },
  { key: 'depth', name: 'Hops it may travel', required: true },
]

export function ManifestForm({ draft, change, submit, busy, children }: Props): JSX.Element {
  const send = (event: Event) => {
    event.preventDefault()
    submit()
  }
  return (
    <form class="stack" onSubmit={send}>
      <div class="form">
        {FIELDS.map(({ key, name, hint = '', wide = false, required = false }) => (
          <label key={key} class={wide ? 'field wide' : 'field'}>
            <span>{name}</span>
            <input
              type="text"
              value={draft[key]}
              placeholder={hint}
              required={required}
              spellcheck={false}
              onInput={({ currentTarget }) => change({ ...draft, [key]: currentTarget.value })}
            />
          </label>
        ))}
        <label class="field">
          <span>Kind</span>
          <select value={draft.kind} onChange={({ currentTarget }) => change({ ...draft, kind: currentTarget.value })}>
            <option value="service">service: runs until it expires</option>
            <option value="task">task: ends by itself</option>
          </select>
        </label>
      </div>
      <div class="buttons">
        <button type="submit" class="button" data-kind="primary" disabled={busy}>
          Sign and announce
        </button>
        {children}
      </div>
    </form>
  )
}

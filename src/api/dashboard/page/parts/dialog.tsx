import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** The browser keeps the focus in it, ends it with Escape, and gives the focus back. */
export function Dialog(props: { title: string; close(): void; children: ComponentChildren }): JSX.Element {
  const box = useRef<HTMLDialogElement>(null)
  useEffect(() => box.current?.showModal(), [])
  return (
    <dialog class="dialog" ref={box} aria-label={props.title} onClose={props.close}>
      <div class="stack">
        <header class="card-head">
          <h2>{props.title}</h2>
          <button type="button" class="button" onClick={props.close}>
            Close
          </button>
        </header>
        {props.children}
      </div>
    </dialog>
  )
}

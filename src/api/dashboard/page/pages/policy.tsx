import type { EditorView } from '@codemirror/view'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Applied, PolicyText, PolicyView, Preview } from '../../../../node/types.ts'
import type { LiveEvent } from '../data/live.ts'
import { ask, Problem, send } from '../data/request.ts'
import { useAction, useResource } from '../data/resource.ts'
import { many } from '../data/text.ts'
import { Card } from '../parts/bits.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { ProblemBox, Show } from '../parts/states.tsx'
import { Changes, PreviewText } from './policy/changes.tsx'
import { Diff } from './policy/diff.tsx'
import { createEditor, goTo, positionText, replaceText } from './policy/editor.ts'
import { History } from './policy/history.tsx'

type Check = { readonly problems: readonly string[]; readonly notices: readonly string[] }

const concerns = ({ name }: LiveEvent) => name === 'node:policy'

/** The policy of this node: changed, tried without effect, and put in force. */
export function Policy(): JSX.Element {
  const disk = useResource<PolicyText>('/policy/text', concerns)
  const inForce = useResource<PolicyView>('/policy', concerns)
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Policy</h1>
          <p class="soft">
            config.json of the runner: what this node runs and redirects.
            {inForce.value === undefined ? '' : ` In force: policy ${inForce.value.hash.slice(0, 12)}.`}
          </p>
        </div>
      </div>
      <Show of={disk}>{(value) => <Workbench disk={value} reload={disk.reload} />}</Show>
    </>
  )
}

/** `base` is what the text in the editor was made from: where the disk says something else, that is a conflict. */
function Workbench({ disk, reload }: { disk: PolicyText; reload(): void }): JSX.Element {
  const [base, setBase] = useState(disk)
  const [text, setText] = useState(disk.text)
  const [check, setCheck] = useState<Check>({ problems: [], notices: [] })
  const [preview, setPreview] = useState<{ text: string; value: Preview } | undefined>()
  const [applied, setApplied] = useState<Applied | undefined>()
  const [confirming, setConfirming] = useState(false)
  const host = useRef<HTMLDivElement>(null)
  const editor = useRef<EditorView | undefined>(undefined)
  const action = useAction()
  const changed = text !== base.text
  const conflict = disk.sha256 !== base.sha256

  useEffect(() => {
    if (host.current === null) return
    const view = createEditor(host.current, {
      text: base.text,
      onChange: setText,
      async check(candidate) {
        const answer = await send<Check>('/policy/check', candidate).catch(() => undefined)
        if (answer !== undefined) setCheck(answer)
        return answer?.problems ?? []
      },
    })
    editor.current = view
    return () => view.destroy()
  }, [])

  /** The disk has another text: taken over at once where nothing would be lost. */
  useEffect(() => {
    if (conflict && !changed) takeDisk()
  }, [disk.sha256])

  function takeDisk(): void {
    setBase(disk)
    if (editor.current !== undefined) replaceText(editor.current, disk.text)
  }

  const tryIt = async (candidate = text) => {
    const value = await send<Preview>('/policy/preview', candidate)
    setPreview({ text: candidate, value })
  }
  function confirm(candidate: string): void {
    setApplied(undefined)
    setConfirming(true)
    action.run(() => tryIt(candidate))
  }
  const take = (past: string) => editor.current && replaceText(editor.current, past)
  /** The same way as any other change: its lines and the dry run are seen before it is in force. */
  const revert = (past: string) => {
    take(past)
    setText(past)
    confirm(past)
  }
  const apply = async () => {
    try {
      const headers = { 'if-match': `"${base.sha256}"` }
      setApplied(await send<Applied>('/policy', text, { headers }))
    } catch (error) {
      if (error instanceof Problem && error.status === 409) reload()
      throw error
    } finally {
      setConfirming(false)
    }
    const now = await ask<PolicyText>('/policy/text')
    setBase(now)
    setPreview(undefined)
    reload()
  }

  return (
    <div class="columns">
      <Card title="config.json" note={changed ? 'changed here, not in force' : 'as it is on the disk'}>
        {conflict && changed ? (
          <div class="notice" data-tone="bad" role="alert">
            <p>config.json was changed on the disk since you began. What you have here would undo that.</p>
            <div class="buttons">
              <button type="button" class="button" onClick={() => setBase(disk)}>
                Keep mine, and compare with the disk
              </button>
              <button type="button" class="button" onClick={takeDisk}>
                Take what is on the disk
              </button>
            </div>
          </div>
        ) : null}
        <div class="editor" ref={host} />
        <div class="buttons">
          <button
            type="button"
            class="button"
            disabled={action.busy || check.problems.length > 0}
            onClick={() => action.run(() => tryIt())}
          >
            {action.busy ? 'Working…' : 'Dry run'}
          </button>
          <button
            type="button"
            class="button"
            data-kind="primary"
            disabled={action.busy || !changed || conflict || check.problems.length > 0}
            onClick={() => confirm(text)}
          >
            Apply…
          </button>
          {changed ? (
            <button type="button" class="button" onClick={takeDisk}>
              Discard the changes
            </button>
          ) : null}
        </div>
      </Card>
      <div class="stack">
        <Findings check={check} text={text} show={(sentence) => editor.current && goTo(editor.current, sentence)} />
        {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
        {applied === undefined ? null : (
          <Card title="Applied">
            <p role="status">
              The policy is in force. {many(applied.changes.length, 'service')} changed
              {applied.background === 0
                ? ''
                : `; ${many(applied.background, 'other')} are decided again in the background`}
              .
            </p>
            <Changes changes={applied.changes} />
          </Card>
        )}
        {preview === undefined ? null : (
          <Card title="Dry run" note={preview.text === text ? 'of the text as it is now' : 'of an earlier text'}>
            <PreviewText preview={preview.value} />
            <Changes changes={preview.value.changes} />
          </Card>
        )}
        {changed ? (
          <Card title="Changes of the text">
            <Diff before={base.text} after={text} />
          </Card>
        ) : null}
        <History current={base.text} take={take} revert={revert} />
      </div>
      {confirming ? (
        <Dialog title="Put this policy in force?" close={() => setConfirming(false)}>
          <Diff before={base.text} after={text} />
          {preview?.text === text ? (
            <>
              <PreviewText preview={preview.value} />
              <Changes changes={preview.value.changes} />
            </>
          ) : (
            <p role="status">
              {action.busy ? 'The node looks at what it would change…' : 'What it would change is not known.'}
            </p>
          )}
          {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
          <div class="buttons">
            <button
              type="button"
              class="button"
              data-kind="primary"
              disabled={action.busy}
              onClick={() => action.run(apply)}
            >
              Put it in force
            </button>
            <button type="button" class="button" onClick={() => setConfirming(false)}>
              Not yet
            </button>
          </div>
        </Dialog>
      ) : null}
    </div>
  )
}

type FindingsProps = { check: Check; text: string; show(sentence: string): void }

function Findings({ check: { problems, notices }, text, show }: FindingsProps): JSX.Element {
  return (
    <Card title={problems.length === 0 ? 'The text is right' : many(problems.length, 'problem')}>
      {problems.length === 0 ? <p class="soft">The node has read it, and has nothing against it.</p> : null}
      <ul class="rows" role="status">
        {problems.map((sentence) => (
          <li key={sentence}>
            <button type="button" class="link" onClick={() => show(sentence)}>
              {positionText(text, sentence)}
            </button>
            <span>{sentence}</span>
          </li>
        ))}
        {notices.map((sentence) => (
          <li key={sentence} class="soft">
            {sentence}
          </li>
        ))}
      </ul>
    </Card>
  )
}

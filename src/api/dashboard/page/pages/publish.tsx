import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { ask, send } from '../data/request.ts'
import { useAction } from '../data/resource.ts'
import { go, pathTo } from '../data/router.ts'
import { bytesText, many } from '../data/text.ts'
import { Card } from '../parts/bits.tsx'
import { ProblemBox } from '../parts/states.tsx'
import { type Collected, collectArchive, collectChosen, collectDropped } from './publish/collect.ts'
import { ManifestForm } from './publish/form.tsx'
import { type Draft, draftOf, manifestOf } from './publish/manifest.ts'
import { packTar } from './publish/tar.ts'

type Work = { readonly collected: Collected; readonly draft: Draft; readonly rest: Record<string, unknown> }

/** A folder or an archive becomes a service that this node signs and announces. */
export function Publish(): JSX.Element {
  const [work, setWork] = useState<Work | undefined>()
  const [step, setStep] = useState('')
  const action = useAction()
  const take = (collecting: Promise<Collected>) =>
    action.run(async () => {
      const collected = await collecting
      setWork({ collected, ...draftOf(collected) })
    })
  const publish = () =>
    action.run(async () => {
      if (work === undefined) return
      const tar = packTar(work.collected.files)
      setStep(`Sending ${bytesText(tar.size)} to the node…`)
      const { code } = await ask<{ code: string }>('/archive', { method: 'POST', body: tar, type: 'application/x-tar' })
      setStep('The node signs and announces it…')
      const { id } = await send<{ id: string }>('/service', manifestOf(work.draft, work.rest, code))
      go(pathTo('service', id))
    })
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Publish</h1>
          <p class="soft">
            This node signs a service with its own key, and announces it. Other nodes decide whether they run it.
          </p>
        </div>
      </div>
      {work === undefined ? (
        <Drop take={take} busy={action.busy} />
      ) : (
        <Card
          title={work.collected.name}
          note={`${many(work.collected.files.length, 'file')}, ${bytesText(work.collected.bytes)}`}
        >
          <ManifestForm
            draft={work.draft}
            change={(draft) => setWork({ ...work, draft })}
            submit={publish}
            busy={action.busy}
          >
            <button type="button" class="button" onClick={() => setWork(undefined)} disabled={action.busy}>
              Take something else
            </button>
            <span role="status" class="soft">
              {action.busy ? step : ''}
            </span>
          </ManifestForm>
        </Card>
      )}
      {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
    </>
  )
}

function Drop({ take, busy }: { take(collecting: Promise<Collected>): void; busy: boolean }): JSX.Element {
  const [over, setOver] = useState(false)
  const folder = useRef<HTMLInputElement>(null)
  const archive = useRef<HTMLInputElement>(null)
  const chosen = (input: HTMLInputElement, collect: (files: FileList) => Promise<Collected>) => {
    if (input.files !== null && input.files.length > 0) take(collect(input.files))
  }
  return (
    <section
      class="drop"
      aria-label="Code of the service"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        if (event.dataTransfer !== null) take(collectDropped(event.dataTransfer))
      }}
    >
      <h2>{busy ? 'Reading…' : 'Drop a folder or an archive here'}</h2>
      <p class="soft">
        A .tar or .tar.gz, or a folder with the code. A service.json in it fills in the form. Which files are
        executable, a browser does not tell: start programs by their interpreter.
      </p>
      <div class="buttons">
        <button type="button" class="button" onClick={() => folder.current?.click()}>
          Choose a folder
        </button>
        <button type="button" class="button" onClick={() => archive.current?.click()}>
          Choose an archive
        </button>
      </div>
      <input
        ref={folder}
        type="file"
        class="unseen"
        aria-label="Folder with the code"
        tabIndex={-1}
        {...{ webkitdirectory: true }}
        onChange={({ currentTarget }) => chosen(currentTarget, collectChosen)}
      />
      <input
        ref={archive}
        type="file"
        class="unseen"
        aria-label="Archive with the code"
        tabIndex={-1}
        accept=".tar,.tgz,.gz"
        onChange={({ currentTarget }) => chosen(currentTarget, (files) => collectArchive(files[0] as File))}
      />
    </section>
  )
}

import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { send, upload } from '../data/request.ts'
import { useAction } from '../data/resource.ts'
import { go, pathTo } from '../data/router.ts'
import { bytesText, many } from '../data/text.ts'
import { Card, Id, Meter } from '../parts/bits.tsx'
import { ProblemBox } from '../parts/states.tsx'
import { collectChosen, collectDropped } from './publish/collect.ts'
import { type Collected, collectArchive } from './publish/collect-archive.ts'
import { ManifestForm } from './publish/form.tsx'
import { type Draft, draftOf, manifestOf } from './publish/manifest.ts'
import { NOTHING_SENT, progressText, type SendProgress, sendService } from './publish/send-service.ts'
import { packTar } from './publish/tar.ts'

type Work = { readonly collected: Collected; readonly draft: Draft; readonly rest: Record<string, unknown> }

/** A folder or an archive becomes a service that this node signs and announces. */
export function Publish(): JSX.Element {
  const [work, setWork] = useState<Work | undefined>()
  const [sent, setSent] = useState(NOTHING_SENT)
  const action = useAction()
  const take = (collecting: Promise<Collected>) =>
    action.run(async () => {
      const collected = await collecting
      setSent(NOTHING_SENT)
      setWork({ collected, ...draftOf(collected) })
    })
  const publish = () =>
    action.run(async () => {
      if (work === undefined) return
      const { collected, draft, rest } = work
      const manifest = (code: string) => manifestOf(draft, rest, code)
      const id = await sendService({ upload, send }, packTar(collected.files), manifest, setSent)
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
          </ManifestForm>
          {action.busy || sent.code !== undefined ? (
            <Progress size={work.collected.bytes} sent={sent} busy={action.busy} />
          ) : null}
        </Card>
      )}
      {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
    </>
  )
}

function Progress({ size, sent, busy }: { size: number; sent: SendProgress; busy: boolean }): JSX.Element {
  const { bar, next } = progressText(sent, size, busy)
  return (
    <div class="stack">
      <Meter label="Sent to the node" goal used={sent.share} total={1} text={bar} />
      <p role="status" class="soft">
        {sent.code === undefined ? null : (
          <>
            The code is <Id of={sent.code} />.{' '}
          </>
        )}
        {next}
      </p>
    </div>
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
        A .tar, .tar.gz or .zip, or a folder with the code. A service.json in it fills in the form. What a
        .thundercloudignore names is left out; a .gitignore is not read here.
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
        accept=".tar,.tgz,.gz,.zip"
        onChange={({ currentTarget }) => chosen(currentTarget, (files) => collectArchive(files[0] as File))}
      />
    </section>
  )
}

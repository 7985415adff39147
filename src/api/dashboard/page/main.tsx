import { render } from 'preact'
import { startRouter } from './data/router.ts'
import { App } from './parts/app.tsx'

const root = document.getElementById('root')
if (root !== null) {
  startRouter()
  render(<App />, root)
}

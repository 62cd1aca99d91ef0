import { StrictMode } from 'react'
import { I18nProvider } from 'react-aria-components'
import { createRoot } from 'react-dom/client'
import { Devices } from './devices/devices.ts'
import { nameInHash } from './devices/name.ts'
import { nodesOfServer } from './nodes/nodes.ts'
import { keepForOffline } from './offline/keep-for-offline.ts'
import { DevicePage } from './page/device-page.tsx'
import { applyLook, chosenLook } from './page/look.ts'
import { Page } from './page/page.tsx'
import { language, loadTexts } from './texts/texts.ts'
import { Neighbours } from './town/neighbours.ts'
import { Trace } from './trace/trace.ts'
import './style/base.css'
import './style/controls.css'
import './style/device.css'
import './style/screens.css'
import './style/page.css'

async function start(): Promise<void> {
  applyLook(chosenLook())
  await loadTexts()
  const only = nameInHash(location.hash)
  const trace = new Trace(key => devices.all.find(device => device.key === key)?.kith)
  const devices: Devices = new Devices(name => trace.socketFor(name), only)
  if (!only) new Neighbours(devices)
  createRoot(document.getElementById('page') as HTMLElement).render(
    <StrictMode>
      <I18nProvider locale={language.tag}>
        {only ? <DevicePage devices={devices} /> : <Page devices={devices} trace={trace} nodes={nodesOfServer()} />}
      </I18nProvider>
    </StrictMode>,
  )
  keepForOffline()
}

// An address that was edited by hand may name another device.
addEventListener('hashchange', () => location.reload())
void start()

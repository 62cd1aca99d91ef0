import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Devices } from './devices/devices.ts'
import { nameInHash } from './devices/name.ts'
import { DevicePage } from './page/device-page.tsx'
import { Page } from './page/page.tsx'
import { Trace } from './trace/trace.ts'
import './style/base.css'
import './style/controls.css'
import './style/device.css'
import './style/page.css'

const only = nameInHash(location.hash)
const trace = new Trace()
const devices = new Devices(name => trace.socketFor(name), only)

createRoot(document.getElementById('page') as HTMLElement).render(
  <StrictMode>{only ? <DevicePage devices={devices} /> : <Page devices={devices} trace={trace} />}</StrictMode>,
)

import type { ReactNode } from 'react'

/** Our own drawings, 24 by 24, as strokes. */
const paths = {
  back: 'M15 5l-7 7 7 7',
  message: 'M4 5h16v11H9l-5 4z',
  follow: 'M12 5v14M5 12h14',
  following: 'M5 12l5 5 9-10',
  circles: 'M9 9m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0M15 15m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0',
  block: 'M12 12m-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0M6.5 6.5l11 11',
  contacts: 'M12 8m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0M5 20c0-4 3-6 7-6s7 2 7 6',
  profile:
    'M4 5h16v14H4zM7 16c0-2 1.3-3 3-3s3 1 3 3M10 10m-1.6 0a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0M15 10h3M15 13h3',
  settings:
    'M4 7h9M17 7h3M4 12h3M11 12h9M4 17h11M19 17h1M15 7m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M9 12m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M17 17m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M4 12l16-8-6 16-3-7z',
  log: 'M5 6h14M5 12h14M5 18h8',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className="icon" data-icon={name} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}

import { type RefObject, useLayoutEffect, useState } from 'react'

/** In CSS pixels: from this width on, a device has room for the list beside a person's page. */
const wideFrom = 700

export function useIsWide(element: RefObject<HTMLElement | null>): boolean {
  const [isWide, setWide] = useState(false)
  useLayoutEffect(() => {
    const { current } = element
    if (!current) return
    const look = (): void => setWide(current.clientWidth >= wideFrom)
    look()
    const observer = new ResizeObserver(look)
    observer.observe(current)
    return () => observer.disconnect()
  }, [element])
  return isWide
}

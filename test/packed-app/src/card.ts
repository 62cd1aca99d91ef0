/** The fields of a profile in this app, and its names of levels. */
export interface Card {
  name: string
  phone?: string
}

export type Circle = 'family' | 'work'

export const levels: Record<Circle, number> = { family: 2, work: 5 }

/** The user's own documents. */
export type DocumentName = 'roster' | 'profile'

export const documentNames: readonly DocumentName[] = ['roster', 'profile']

import {
  type Audience,
  applyChanges,
  type FieldValue,
  type FlatMaps,
  flatMapsOf,
  type KeyChange,
  planField,
  planMessageAudience,
  retiredOf,
} from '@kith/shared'
import * as Y from 'yjs'
import type { StoredDocument } from './stored-document.ts'

/** A field at a level: set to a value, or unset with `undefined`. */
export interface FieldEdit {
  level: number
  name: string
  value: FieldValue | undefined
}

/** A change that the backend makes in a document. It is data, not a function, because a large document is in another thread. */
export type BackendChange =
  /** For a profile. Each field is named once. */
  | { type: 'fields'; fields: readonly FieldEdit[] }
  /** For a roster: whose messages reach its owner. */
  | { type: 'messageAudience'; audience: Audience; nonce: string }

export interface BackendEdit {
  change: BackendChange
  /**
   * The ids of the Yjs client that makes the edit, and of another one, used if the document has been refounded without the
   * first.
   */
  clientIds: readonly [number, number]
}

/** The update that an edit produces. */
export interface MadeEdit {
  update: Uint8Array
  clientId: number
}

/** The backend's own key for each field, as each device has one. */
const writerNonce = 'kith-backend'

/**
 * Makes an edit on a copy of the document, as a device would. The edit is not admitted yet. Returns `undefined` if it changes
 * nothing [R3].
 */
export function madeEdit({ doc }: StoredDocument, { change, clientIds }: BackendEdit): MadeEdit | undefined {
  const [usual, other] = clientIds
  const clientId = retiredOf(doc).has(usual) ? other : usual
  const copy = new Y.Doc()
  try {
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
    copy.clientID = clientId
    let update: Uint8Array | undefined
    copy.on('update', bytes => {
      update = bytes
    })
    applyChanges(copy, planned(flatMapsOf(copy), change))
    return update && { update, clientId }
  } finally {
    copy.destroy()
  }
}

function planned(document: FlatMaps, change: BackendChange): KeyChange[] {
  switch (change.type) {
    case 'fields':
      return change.fields.flatMap(({ level, name, value }) => planField(document, writerNonce, level, name, value))
    case 'messageAudience':
      return planMessageAudience(document, change.audience, () => change.nonce)
  }
}

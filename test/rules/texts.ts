/** A rule of the design. Tests cite it by its id in brackets. */
export interface Rule {
  /** As in `V3`. */
  id: string
  text: string
}

export interface Section {
  title: string
  /** What holds for all of its rules, in a sentence. */
  introduction?: string
  rules: readonly Rule[]
}

export const sections: readonly Section[] = [
  {
    title: 'Roster',
    rules: [
      {
        id: 'R1',
        text: 'Replicas of a roster that hold the same updates are equal, whatever the order, the duplicates and the partitions.',
      },
      {
        id: 'R2',
        text: 'Union: from levels L, two devices that `sync` the same contact to P and to Q apart arrive at (P∖L) ∪ (Q∖L) ∪ (L∩P∩Q): all that either added, and what both kept. For a new contact that is the union. One key that two devices add at once and one of them removes again is present or absent, but the same everywhere.',
      },
      {
        id: 'R3',
        text: 'A write that changes nothing writes nothing: syncing the same phone book again produces no update. So a revocation beats a concurrent confirmation of what was already granted.',
      },
      {
        id: 'R4',
        text: "The private side wins: a block or a narrower privacy setting survives every concurrent lifting that hadn't seen it.",
      },
      {
        id: 'R5',
        text: '`sync` replaces levels and subscription of the contacts that it names and touches no other, nor labels; `syncAsUpdate` only adds; neither lifts a block.',
      },
      {
        id: 'R6',
        text: 'Own profile: of concurrent sets of one field at one level one wins, the same everywhere; a set beats a concurrent unset.',
      },
    ],
  },
  {
    title: 'Visibility',
    introduction:
      'One pure function in `shared`, used by the server\'s relay, `GET /v1/visibility` and the client\'s "view as".',
    rules: [
      {
        id: 'V1',
        text: 'Blocked in either direction: nothing.',
      },
      {
        id: 'V2',
        text: 'Either side restricted and not paired: nothing.',
      },
      {
        id: 'V3',
        text: "Else the granted levels, and level 0 by the owner's audience: 'everyone' shows it to all, 'contacts' to contacts, 'nobody' to users with a grant. A grant of 0 counts as a grant. The owner sees all.",
      },
      {
        id: 'V4',
        text: "The server hands no byte of a profile document to a socket unless [V1], [V2] and [V3] allow it by both users' state on disk at that moment; the check and the handing over are one step. At most 64 KiB are outstanding on a socket; the rest waits as names of stale documents [F2].",
      },
      {
        id: 'V5',
        text: 'Nothing erased travels: a value that the owner overwrote or removed is in no byte sent to anyone who did not hold it before, and after `compact` it is nowhere in the data folder.',
      },
      {
        id: 'V6',
        text: 'Order: a revocation or block made before an edit, on the same device or on one that had seen it, takes effect before that edit is relayed, also when both were made offline.',
      },
      {
        id: 'V7',
        text: "On losing access, by whatever cause, a viewer's devices withdraw the replica, at once or when they next connect: gone from memory and storage. A replica of someone not followed is dropped when the follow ends (by any device); a merely fetched one lives for the session, in which the server treats it as followed.",
      },
      {
        id: 'V8',
        text: "Unknown, not registered, not visible and blocked look the same to the viewer: `hasJoined` and `joined` speak only when V1–V3 show something, and 'undelivered' also means offline.",
      },
      {
        id: 'V9',
        text: "Only the owner's devices write the owner's documents; viewers' writes end their session (4403).",
      },
      {
        id: 'V10',
        text: "Nothing that a viewer can measure depends on an owner's acts that the viewer may not see: no wait names the user that it waits for; no position or count is sent in clear (cursors are sealed and have one size); no outcome of a message reveals presence.",
      },
    ],
  },
  {
    title: 'Durability',
    rules: [
      {
        id: 'D1',
        text: "`save()` resolves when the change is on this device's disk: in IndexedDB with strict durability, or in SQLite. A reload, offline, shows it.",
      },
      {
        id: 'D2',
        text: 'The server answers a barrier, and relays anything, only after a synced write of what it received before. `kill -9` at any moment loses nothing that was answered.',
      },
      {
        id: 'D3',
        text: 'Removals count as changes: a barrier covers them too (a Yjs state vector does not show deletions).',
      },
      {
        id: 'D4',
        text: 'What the server derives (indexes, positions) is written in the same batch as its cause; `check` derives it again and finds no difference, after any crash.',
      },
      {
        id: 'D5',
        text: "Limits are checked before a change is made: the call rejects with a code, and nothing has changed. A server can still refuse a change. A refused change stays on the device, is reported by an `error` event, and does not delay a later change. To recover, the device applies the server's state, keeps all its own content that this state lacks [D6], and applies its unsent changes again: removals, revocations, privacy and blocks first. While one of those is unacknowledged, the device does not send a profile edit that was made after it.",
      },
      {
        id: 'D6',
        text: 'A device does not replace a document by a state that lacks content which the device holds. Content that a server lacks, for any reason, is made again as changes, in pieces. Content that the server refuses stays on the device, is reported, and is offered again.',
      },
      {
        id: 'D7',
        text: 'The devices of an erased account do not restore it: each device knows the incarnation that it synced with, and deletes its data when that has ended. Grants to an id and follows of an id that other users made before the erasure do not count for the next holder until those users give them again (`confirm()`).',
      },
    ],
  },
  {
    title: 'Feed',
    rules: [
      {
        id: 'F1',
        text: "A follower that is connected gets a visible change at once; a device that was away gets, on return, what changed for it since its cursor, for whatever cause on either side (edit, grant, revocation, block, pairing, privacy, a follow made on another device), and nothing else. With nothing changed that costs the same few bytes for 10 follows and for 10,000, besides the roster's own sync messages.",
      },
      {
        id: 'F2',
        text: 'A slow device costs bounded memory: its queue holds which documents are stale, not every update; it gets the newest state of each when it can.',
      },
      {
        id: 'F3',
        text: "Following someone not yet registered is allowed and costs nothing. By connecting, a user registers when their first roster is on disk (the answer to the server's first sync step 1, even an empty one), not before; by the backend, at once. Unless `announceJoin` is false, followers to whom V1–V3 then show something get `joined`, once (and at most once in 30 days for one id), at once or when they next connect.",
      },
      {
        id: 'F4',
        text: "A contact given at least one level gets the owner's visible documents in its feed without having asked, unless it blocked or declined the owner or switched automatic sync off; at most 2,000 such owners a viewer, those in the viewer's own contacts first.",
      },
    ],
  },
  {
    title: 'Safety',
    rules: [
      {
        id: 'S1',
        text: 'Any bytes from a client give an answer or a close code; never an exception that escapes, never an effect on another session, never a write of what was not admitted.',
      },
      {
        id: 'S2',
        text: "An update is admitted by structure: known roots, key form, primitive values, no sub-documents, nothing left pending, sizes within limits. What is stored and relayed is the server's own encoding, never the client's bytes.",
      },
      {
        id: 'S3',
        text: "Limits with documented defaults, each with its setting and its error code: frame 1 MiB, except y-protocols messages on one's own roster, which may have the roster's limit of 8 MiB; a profile document 64 KiB of live content, at most 16 levels with content; field name 64 bytes, label 256 bytes, message 16 KiB; 20,000 follows; 50 messages a second (burst 500), 200 roster and profile writes a second (burst 2,000); 20 connections a user, 10,000 an address. A roster with too many follows is not refused: it is stored, and the later follows *wait* (`isWaiting`). A change that only removes is admitted at any size.",
      },
      {
        id: 'S4',
        text: 'Discovery is budgeted: each user has 20,000 first-time look-ups (of an id that this user’s roster has not named, and about which this user has not asked, for 90 days, registered or not; by follow, fetch or message), refilled by 2,000 a day (Hagen et al., "All the Numbers are US", NDSS 2021); what is beyond waits, and the client is told how many and how long.',
      },
    ],
  },
]

import { type DeclarationReflection, type ProjectReflection, ReflectionKind, type SignatureReflection } from 'typedoc'

/** A missing part of a doc comment, and its place. */
export interface Gap {
  readonly entryPoint: string
  /** For example `Profile.save`. */
  readonly name: string
  readonly lacks: string
}

/** Classes and interfaces. Each of their members has a doc comment of its own, so the members are checked too. */
const withCalls = ReflectionKind.ClassOrInterface
const calls = ReflectionKind.Function | ReflectionKind.Method

/**
 * Everything that an entry point exports must have a description. Each call of an exported function, class or interface must
 * also describe its parameters and its result. If it returns a promise, it must also describe the errors with which the promise
 * rejects.
 */
export function gapsIn(project: ProjectReflection): Gap[] {
  return (project.children ?? []).flatMap(module =>
    (module.children ?? []).flatMap(exported => gapsOf(module.name, exported, exported.name)),
  )
}

function gapsOf(entryPoint: string, reflection: DeclarationReflection, name: string): Gap[] {
  if (reflection.kind === ReflectionKind.Reference) return [] // Described where it is declared.
  const gaps: Gap[] = []
  const lack = (lacks: string, of = name): void => void gaps.push({ entryPoint, name: of, lacks })
  const signatures = reflection.signatures ?? []
  if (reflection.kindOf(ReflectionKind.Constructor)) return []
  if (reflection.kindOf(calls)) {
    for (const signature of signatures) for (const lacks of gapsOfCall(signature)) lack(lacks)
  } else if (!reflection.kindOf(ReflectionKind.Property) && textOf(reflection) === '') lack('a description')
  if (!reflection.kindOf(withCalls)) return gaps
  const members = (reflection.children ?? []).filter(member => !member.inheritedFrom)
  return [...gaps, ...members.flatMap(member => gapsOf(entryPoint, member, `${name}.${member.name}`))]
}

function gapsOfCall(signature: SignatureReflection): string[] {
  const text = textOf(signature)
  if (text === '') return ['a description']
  const gaps: string[] = []
  for (const { name, comment } of signature.parameters ?? []) {
    const isNamed = text.includes(`\`${name}\``) || (comment?.hasVisibleComponent() ?? false)
    if (!isNamed) gaps.push(`the parameter ${name}`)
  }
  const type = signature.type?.toString() ?? 'void'
  if (/^Promise(Like)?</.test(type)) {
    if (!/\bresolves\b|@returns/i.test(text)) gaps.push('what it resolves to, or when')
    if (!/\brejects\b|@throws/i.test(text)) gaps.push('what it rejects with')
  } else if (type !== 'void' && !/\b(returns|emits|gives)\b|@returns/i.test(text)) gaps.push('what it returns')
  return gaps
}

/** Returns the whole doc comment of a declaration, of its signatures or of its getter. */
function textOf(reflection: DeclarationReflection | SignatureReflection): string {
  const own = reflection.comment ? [reflection] : []
  const others = 'signatures' in reflection ? [...(reflection.signatures ?? []), reflection.getSignature] : []
  return [...own, ...others]
    .map(each => each?.comment)
    .map(comment => {
      const parts = comment?.summary.map(({ text }) => text) ?? []
      const tags =
        comment?.blockTags.map(({ tag, content }) => `${tag} ${content.map(({ text }) => text).join('')}`) ?? []
      return [...parts, ...tags].join('')
    })
    .join('')
    .trim()
}

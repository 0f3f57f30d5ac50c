import fc from 'fast-check'

/** Characters whose case, width, composition or dots have undone canonical forms elsewhere (L-31). */
export const hardCharacters: readonly string[] = [
  ...'ßẞſıİiIjJĳŉǰΐΰσςΣΟοΩΩKkÅåÅµμ',
  ...'ǅǆǄﬁﬀﬃﬅﬆẖẘẚḭįịїіјɨʝᵢⱼŚṦʼ',
  ...'ᾳᾴᾼῼΆἀᾀᾈ한ㅎᄒ하ᄀ가각ᆨ',
  ...'Ａａ１①ªⅷ㎏ᲀꙋაᲐԵւև',
  ...['\u0300', '\u0301', '\u0307', '\u0308', '\u0313', '\u0316', '\u0327', '\u0328', '\u0342', '\u0345'],
  ...['\u05bf', '\u0653', '\u093c', '\u3099', '\u0344', '\u0340', '\u0f71', '\u1fbe'],
  ...['\u200b', '\u200c', '\u200d', '\u202e', '\ufeff', '\u00ad', '\ufe0f', '\u034f', '\u3164', '\u115f'],
  ...' .:%/\\_-@+\0\n\u007f\u0085\u2028',
]

/** Any text: much of it hard characters, some plain ones, some from anywhere in Unicode. */
export const anyName = fc.string({
  unit: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...hardCharacters) },
    { weight: 2, arbitrary: fc.constantFrom(...'abcxyzABCXYZ019') },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
  ),
  maxLength: 8,
})

/** Letters and marks of one script at a time, so that most of the names are accepted. */
export const likelyName = fc
  .constantFrom(
    'aAbBiIjJzZßſıİÅåﬁﬀǅŉǰẖẘḭįᵢⱼɨʝéÉÀḯǭẞKÅªＡａⅷ019._-\u0300\u0301\u0307\u0308\u0316\u0327\u0328',
    'αβσςΣΟοΩΩάΆΐΰµ019._-\u0300\u0301\u0308\u0313\u0342',
    'абвгйёЙЁіјїІЈЇꙋᲀ019._-\u0306\u0307\u0308\u0316',
    '한글가각한ᄀㅎㄱ019._-',
    'קשםןא\u05bc\u05c1\u05bfשּׁ019._-',
    'かガがｶﾞ漢字神ー019._-\u3099\u309a',
  )
  .chain((script) => fc.string({ unit: fc.constantFrom(...script), minLength: 1, maxLength: 10 }))

/** What many pages say. */
export const common = {
  /** How dates are written; BCP 47. */
  locale: 'en-GB',
  languageName: 'English',
  skip: 'Skip to content',
  language: 'Language',
  account: 'Your account',
  admin: 'Administration',
  signOut: 'Sign out',
  signedInAs: 'Signed in as',
  cancel: 'Cancel',
  continue: 'Continue',
  copy: 'Copy',
  copied: 'Copied',
  print: 'Print',
  download: 'Save as a file',
  show: 'Show password',
  never: 'never',
  utc: 'UTC',
  problem: 'Please check the form.',
  seconds: (count: number) => (count === 1 ? '1 second' : `${count} seconds`),
  minutes: (count: number) => (count === 1 ? '1 minute' : `${count} minutes`),
  throttled: (wait: string) => `Too many attempts. Try again in ${wait}.`,
  busy: 'Too many people are signing in at this moment. Try again in a second.',
  superseded: 'Your account was changed at the same moment. Have a look, and try again.',
  errors: {
    badRequest: ['That did not work', 'The form was not filled in as it should be. Go back and try again.'],
    ambiguous: [
      'Two cookies of one name',
      'Your browser sent a cookie twice, so we cannot tell which is meant. Clear the cookies of this site and try again.',
    ],
    crossSite: [
      'This came from another site',
      'The request came from the page of another site and was refused. Open the page here and try again.',
    ],
    staleForm: [
      'This page was open for too long',
      'Something changed since it was loaded: perhaps you signed in or out in another window. Nothing was done. Open the page again and repeat it.',
    ],
    forbidden: ['Not for you', 'Your account may not open this page.'],
    notFound: ['There is nothing here', 'Check the address, or start from the beginning.'],
    notAllowed: ['That does not work here', 'This page cannot be asked that way. Start from the beginning.'],
    tooLarge: ['Too much at once', 'What was sent is larger than any form of ours.'],
    unavailable: [
      'Back in a moment',
      'The server cannot reach its storage. Nothing was changed. Try again in a few seconds.',
    ],
    uncertain: [
      'Done, or not',
      'The server lost its storage at the last moment: what you asked for was done wholly or not at all. Look before you repeat it. A one-time code that you sent counts as used: wait for the next one.',
    ],
    busy: ['Very busy', 'Too many people are signing in at this moment. Try again in a second.'],
    internal: ['Something went wrong', 'The fault is on our side. Nothing was changed. Try again.'],
  } satisfies Record<string, readonly [title: string, sentence: string]> as Record<
    ErrorText,
    readonly [title: string, sentence: string]
  >,
  tryAgain: 'Open the page again',
  start: 'Go to the start',
  requestId: 'Number of this request',
}

/** What can go wrong with a page as a whole. */
export type ErrorText =
  | 'badRequest'
  | 'ambiguous'
  | 'crossSite'
  | 'staleForm'
  | 'forbidden'
  | 'notFound'
  | 'notAllowed'
  | 'tooLarge'
  | 'unavailable'
  | 'uncertain'
  | 'busy'
  | 'internal'

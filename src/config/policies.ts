import { z } from 'zod'
import { DEFAULT_LEASE, isBuiltInPolicy, LEASE_MAXIMUM, policyNameShape } from '../domain/access.ts'
import { groupNameProblem } from '../domain/group.ts'
import { choice, names, networkList, networks, printNetworks, setting } from './setting.ts'

/** One access policy of the operator's own, under `[policies.NAME]`. */
export const policySchema = z.strictObject({
  groups: names('Groups of which one is enough to enter; with no users either, everybody may.', (name) => {
    return groupNameProblem(name) === undefined
  }),
  users: names('Users who may enter.', (name) => name.length > 0 && name.length <= 64),
  proof: choice(['password', 'two-factor'], {
    fallback: 'two-factor',
    help: 'What a session must stand on.',
  }),
  within: setting(z.int().min(60).max(86400).optional(), {
    kind: 'number',
    type: 'a whole number of seconds from 60 to 86400',
    fallback: '(as long as the session holds)',
    help: 'How long ago that proof may have been given. Not where access has "app-password", which is proven once, when it is made.',
    print: String,
  }),
  networks: setting(networkList([]), {
    kind: 'list',
    type: networks,
    fallback: '[]',
    help: 'From where one may enter; none for everywhere. An addition: an address alone opens nothing.',
    print: printNetworks,
  }),
  lease: setting(z.int().min(0).max(LEASE_MAXIMUM).default(DEFAULT_LEASE), {
    kind: 'number',
    type: `a whole number of seconds from 0 to ${LEASE_MAXIMUM}`,
    fallback: String(DEFAULT_LEASE),
    help: 'How long Apache may admit a session again without asking, where authorizer.lease_directory is given; 0 for not at all. Nothing is leased where networks decide, nor with assertions.',
    print: String,
  }),
  access: setting(
    z
      .array(z.enum(['session', 'app-password', 'password-code']))
      .min(1)
      .max(3)
      .default(['session'])
      .readonly(),
    {
      kind: 'list',
      type: 'a list of "session", "app-password", "password-code"',
      fallback: '["session"]',
      help:
        'By what one may enter: signed in with a browser, with an app password that names this policy, or, from programs ' +
        'that have one field only, with the password and a code right behind it.',
      print: JSON.stringify,
    },
  ),
  assertion: setting(z.boolean().default(false), {
    kind: 'boolean',
    type: 'true or false',
    fallback: 'false',
    help: 'Whether the application is told who came by a signed assertion too, in X-Watchword-Assertion. After a change run apache install.',
    print: String,
  }),
  code_window: setting(z.int().min(60).max(86_400).optional(), {
    kind: 'number',
    type: 'a whole number of seconds from 60 to 86400',
    fallback: '28800',
    help:
      'For how long a password and code in one field go on opening this, from the same address; never longer than within. ' +
      'The code is spent at once.',
    print: String,
  }),
})

/** Tables whose names the operator chooses. They stand in the file only: a variable has no room for a name. */
export const namedTables = { policies: policySchema } as const

/** Whether the operator may call a policy so. */
export const ownPolicyName = z.string().refine((name) => policyNameShape.test(name) && !isBuiltInPolicy(name))

import type { Branch } from './commands.ts'

/** `watchword import`, a command for each source. */
export const imports: readonly Branch[] = [
  {
    name: 'django',
    summary: 'take over the users of a Django site, with django-otp',
    load: async () => (await import('./commands/import/django.ts')).declareImportDjango,
  },
  {
    name: 'htpasswd',
    summary: 'take over the users of a password file of Apache',
    load: async () => (await import('./commands/import/htpasswd.ts')).declareImportHtpasswd,
  },
  {
    name: 'google-authenticator',
    summary: 'take over the files of the PAM module google-authenticator',
    load: async () =>
      (await import('./commands/import/google-authenticator.ts')).declareImportGoogleAuthenticator,
  },
  {
    name: 'mod-authn-otp',
    summary: 'take over the users file of mod_authn_otp',
    load: async () => (await import('./commands/import/mod-authn-otp.ts')).declareImportModAuthnOtp,
  },
  {
    name: 'authelia',
    summary: 'take over authenticators that Authelia exported as URIs',
    load: async () => (await import('./commands/import/authelia.ts')).declareImportAuthelia,
  },
  {
    name: 'csv',
    summary: 'take over a file of comma-separated values',
    load: async () => (await import('./commands/import/csv.ts')).declareImportCsv,
  },
  {
    name: 'pskc',
    summary: 'take over hardware tokens of a PSKC file (RFC 6030)',
    load: async () => (await import('./commands/import/pskc.ts')).declareImportPskc,
  },
]

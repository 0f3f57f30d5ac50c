import type { AuthenticationMethod } from '../../../domain/login.ts'
import type { Texts } from '../index.ts'

const methods: Readonly<Record<AuthenticationMethod, string>> = {
  pwd: 'Passwort',
  otp: 'Einmalcode',
  recovery: 'Wiederherstellungscode',
}

export const audit: Texts['audit'] = {
  methods,
  by: {
    admin: 'durch die Verwaltung',
    operator: 'durch den Betreiber',
  },
  names: {
    'password-accepted': 'Passwort angenommen',
    'password-refused': 'Passwort abgelehnt',
    'code-refused': 'Code abgelehnt',
    throttled: 'Zu viele Versuche',
    'signed-in': 'Angemeldet',
    'recovery-code-used': 'Wiederherstellungscode verwendet',
    'signed-out': 'Abgemeldet',
    'session-ended': 'Sitzung beendet',
    'other-sessions-ended': 'Andere Sitzungen beendet',
    'sessions-ended': 'Alle Sitzungen beendet',
    'enrolment-begun': 'Einrichten eines Authenticators begonnen',
    'device-confirmed': 'Authenticator eingerichtet',
    'device-added': 'Authenticator ausgegeben',
    'device-renamed': 'Authenticator umbenannt',
    'device-removed': 'Authenticator entfernt',
    'devices-disabled': 'Authenticatoren gesperrt',
    'recovery-codes-made': 'Wiederherstellungscodes erzeugt',
    'app-password-made': 'App-Passwort erzeugt',
    'app-password-revoked': 'App-Passwort widerrufen',
    'app-password-refused': 'App-Passwort abgelehnt',
    'code-window-opened': 'Programm mit Passwort und Code eingelassen',
    'code-window-ended': 'Zugang eines Programms beendet',
    'code-window-refused': 'Verbrauchtes Passwort mit Code abgelehnt',
    'password-changed': 'Passwort geändert',
    'invitation-made': 'Einladung erstellt',
    'invitation-used': 'Einladung angenommen',
    'setup-begun': 'Erster Start: Einrichtungsadresse ausgegeben',
    'setup-done': 'Erster Start: erstes Konto angelegt',
    'user-created': 'Konto angelegt',
    'user-imported': 'Konto übernommen',
    'import-done': 'Konten übernommen',
    'user-disabled': 'Konto gesperrt',
    'user-enabled': 'Konto freigegeben',
    'user-unlocked': 'Wartezeiten aufgehoben',
    'user-deleted': 'Konto gelöscht',
    'second-factor-reset': 'Zweiter Faktor zurückgesetzt',
    'reset-requested': 'Zurücksetzen des zweiten Faktors beantragt',
    'reset-withdrawn': 'Antrag auf Zurücksetzen zurückgezogen',
    'group-created': 'Gruppe angelegt',
    'group-deleted': 'Gruppe gelöscht',
    'group-member-added': 'In eine Gruppe aufgenommen',
    'group-member-removed': 'Aus einer Gruppe entfernt',
    'keys-rotated': 'Siegelschlüssel ersetzt',
    'keys-pruned': 'Alte Siegelschlüssel entfernt',
    'signing-key-rotated': 'Signaturschlüssel ersetzt',
    'backup-made': 'Sicherung erstellt',
    'database-restored': 'Datenbank aus einer Sicherung wiederhergestellt',
    'database-moved': 'Datenbank umgezogen',
    'audit-exported': 'Protokoll als Datei gespeichert',
    'users-exported': 'Benutzer als Datei ausgegeben',
  },
  sentences: {
    'password-refused': ({ reason }) => {
      switch (reason) {
        case 'wrong-password':
          return 'Falsches Passwort'
        case 'unknown-user':
          return 'Passwort für einen unbekannten Benutzernamen'
        case 'disabled':
          return 'Passwort abgelehnt: Das Konto ist gesperrt'
        case 'no-password':
          return 'Passwort abgelehnt: Das Konto hat noch keines'
      }
    },
    'code-refused': ({ reason }) => {
      switch (reason) {
        case 'wrong-code':
          return 'Falscher Code'
        case 'malformed':
          return 'Etwas wurde eingegeben, das kein Code ist'
        case 'repeated':
          return 'Ein verbrauchter Code wurde erneut eingegeben'
        case 'no-device':
          return 'Code abgelehnt: Kein Authenticator ist eingerichtet'
        case 'no-enrolment':
          return 'Code abgelehnt: Kein Authenticator wird gerade eingerichtet'
      }
    },
    throttled: ({ wait }) =>
      `Zu viele Versuche: Wartezeit von ${wait === 1 ? '1 Sekunde' : `${wait} Sekunden`}`,
    'signed-in': ({ amr }) => `Angemeldet mit ${amr.map((method) => methods[method]).join(' und ')}`,
    'recovery-code-used': ({ remaining }) => `Wiederherstellungscode verwendet; noch ${remaining} übrig`,
    'session-ended': ({ reason }) => {
      switch (reason) {
        case 'by-user':
        case 'by-admin':
          return 'Eine Sitzung beendet'
        case 'over-limit':
          return 'Die älteste Sitzung beendet, weil es zu viele waren'
      }
    },
    'other-sessions-ended': ({ count }) =>
      count === 1 ? '1 andere Sitzung beendet' : `${count} andere Sitzungen beendet`,
    'sessions-ended': ({ count }) => (count === 1 ? '1 Sitzung beendet' : `Alle ${count} Sitzungen beendet`),
    'device-confirmed': ({ name }) => `Authenticator „${name}“ eingerichtet`,
    'device-added': ({ name }) => `Authenticator „${name}“ ausgegeben`,
    'device-renamed': ({ name }) => `Authenticator in „${name}“ umbenannt`,
    'device-removed': ({ name }) => `Authenticator „${name}“ entfernt`,
    'devices-disabled': ({ failures }) => `Authenticatoren nach ${failures} falschen Codes gesperrt`,
    'recovery-codes-made': ({ count }) =>
      `${count} Wiederherstellungscodes erzeugt; die bisherigen gelten nicht mehr`,
    'app-password-made': ({ name, policies }) => `App-Passwort „${name}“ erzeugt, für ${policies.join(', ')}`,
    'app-password-revoked': ({ name }) => `App-Passwort „${name}“ widerrufen`,
    'app-password-refused': ({ name, reason, policy }) => {
      switch (reason) {
        case 'other-user':
          return `App-Passwort „${name}“ kam mit einem anderen Benutzernamen`
        case 'disabled':
          return `App-Passwort „${name}“ abgelehnt: Das Konto ist gesperrt`
        case 'expired':
          return `App-Passwort „${name}“ abgelehnt: Es ist abgelaufen`
        case 'other-policy':
          return `App-Passwort „${name}“ abgelehnt: Es öffnet ${policy} nicht`
      }
    },
    'code-window-opened': ({ policy }) =>
      `Ein Programm wurde mit Passwort und Code eingelassen, für ${policy}`,
    'code-window-ended': ({ policy }) => `Der Zugang eines Programms zu ${policy} wurde beendet`,
    'code-window-refused': ({ reason, policy }) => {
      switch (reason) {
        case 'disabled':
          return 'Passwort und Code eines Programms abgelehnt: Das Konto ist gesperrt'
        case 'ended':
        case 'expired':
          return `Passwort und Code eines Programms kamen erneut für ${policy}: Ihre Zeit ist um`
        case 'other-policy':
          return `Passwort und Code eines Programms abgelehnt: Sie öffnen ${policy} nicht`
        case 'other-address':
          return `Passwort und Code eines Programms kamen für ${policy} von einer anderen Adresse`
      }
    },
    'password-changed': ({ reason }) => {
      switch (reason) {
        case 'by-user':
          return 'Passwort geändert'
        case 'by-operator':
          return 'Passwort gesetzt'
        case 'by-invitation':
          return 'Passwort mit einer Einladung gewählt'
        case 'forced':
          return 'Passwort bei der Anmeldung ersetzt'
      }
    },
    'user-created': ({ isSuperuser }) => (isSuperuser ? 'Konto der Verwaltung angelegt' : 'Konto angelegt'),
    'user-imported': ({ source, change }) =>
      change === 'made' ? `Konto aus ${source} übernommen` : `Konto durch Übernahme aus ${source} geändert`,
    'import-done': ({ source, made, changed }) =>
      `Übernahme aus ${source}: ${made} Konten angelegt, ${changed} geändert`,
    'group-created': ({ group }) => `Gruppe „${group}“ angelegt`,
    'group-deleted': ({ group }) => `Gruppe „${group}“ gelöscht`,
    'group-member-added': ({ group }) => `In die Gruppe „${group}“ aufgenommen`,
    'group-member-removed': ({ group }) => `Aus der Gruppe „${group}“ entfernt`,
    'keys-rotated': ({ keyId, resealed }) =>
      `Siegelschlüssel ${keyId} in Gebrauch; ${resealed} Geheimnisse neu versiegelt`,
    'keys-pruned': ({ keyIds }) => `Alte Siegelschlüssel entfernt: ${keyIds.join(', ')}`,
    'signing-key-rotated': ({ keyId }) => `Signaturschlüssel ${keyId} veröffentlicht`,
  },
}

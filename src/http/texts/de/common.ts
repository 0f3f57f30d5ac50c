import type { Texts } from '../index.ts'

export const common: Texts['common'] = {
  locale: 'de-DE',
  languageName: 'Deutsch',
  skip: 'Zum Inhalt springen',
  language: 'Sprache',
  account: 'Ihr Konto',
  admin: 'Verwaltung',
  signOut: 'Abmelden',
  signedInAs: 'Angemeldet als',
  cancel: 'Abbrechen',
  continue: 'Weiter',
  copy: 'Kopieren',
  copied: 'Kopiert',
  print: 'Drucken',
  download: 'Als Datei speichern',
  show: 'Passwort anzeigen',
  never: 'nie',
  utc: 'UTC',
  problem: 'Bitte prüfen Sie das Formular.',
  seconds: (count) => (count === 1 ? '1 Sekunde' : `${count} Sekunden`),
  minutes: (count) => (count === 1 ? '1 Minute' : `${count} Minuten`),
  throttled: (wait) => `Zu viele Versuche. Versuchen Sie es in ${wait} erneut.`,
  busy: 'Gerade melden sich zu viele Personen an. Versuchen Sie es in einer Sekunde erneut.',
  superseded: 'Ihr Konto wurde im selben Moment geändert. Sehen Sie nach und versuchen Sie es erneut.',
  errors: {
    badRequest: [
      'Das hat nicht funktioniert',
      'Das Formular war nicht richtig ausgefüllt. Gehen Sie zurück und versuchen Sie es erneut.',
    ],
    ambiguous: [
      'Zwei Cookies mit demselben Namen',
      'Ihr Browser hat ein Cookie doppelt gesendet; welches gemeint ist, lässt sich nicht sagen. Löschen Sie die Cookies dieser Seite und versuchen Sie es erneut.',
    ],
    crossSite: [
      'Das kam von einer anderen Website',
      'Die Anfrage kam von der Seite einer anderen Website und wurde abgelehnt. Öffnen Sie die Seite hier und versuchen Sie es erneut.',
    ],
    staleForm: [
      'Diese Seite war zu lange geöffnet',
      'Seit dem Laden hat sich etwas geändert: Vielleicht haben Sie sich in einem anderen Fenster an- oder abgemeldet. Es wurde nichts getan. Öffnen Sie die Seite neu und wiederholen Sie es.',
    ],
    forbidden: ['Nicht für Sie', 'Ihr Konto darf diese Seite nicht öffnen.'],
    notFound: ['Hier ist nichts', 'Prüfen Sie die Adresse, oder beginnen Sie von vorn.'],
    notAllowed: [
      'Das geht hier nicht',
      'Diese Seite kann so nicht aufgerufen werden. Beginnen Sie von vorn.',
    ],
    tooLarge: ['Zu viel auf einmal', 'Das Gesendete ist größer als jedes unserer Formulare.'],
    unavailable: [
      'Gleich wieder da',
      'Der Server erreicht seinen Speicher nicht. Es wurde nichts geändert. Versuchen Sie es in einigen Sekunden erneut.',
    ],
    uncertain: [
      'Geschehen oder nicht',
      'Der Server hat im letzten Augenblick seinen Speicher verloren: Was Sie wollten, ist ganz geschehen oder gar nicht. Sehen Sie nach, bevor Sie es wiederholen. Ein gesendeter Einmalcode gilt als verbraucht: Warten Sie auf den nächsten.',
    ],
    busy: [
      'Sehr viel los',
      'Gerade melden sich zu viele Personen an. Versuchen Sie es in einer Sekunde erneut.',
    ],
    internal: [
      'Etwas ist schiefgegangen',
      'Der Fehler liegt bei uns. Es wurde nichts geändert. Versuchen Sie es erneut.',
    ],
  },
  tryAgain: 'Seite neu öffnen',
  start: 'Zum Anfang',
  requestId: 'Nummer dieser Anfrage',
}

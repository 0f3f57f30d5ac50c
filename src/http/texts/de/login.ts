import type { Texts } from '../index.ts'

export const login: Texts['login'] = {
  title: 'Anmelden',
  username: 'Benutzername',
  password: 'Passwort',
  submit: 'Anmelden',
  next: 'Weiter',
  refused: 'Benutzername oder Passwort ist nicht richtig.',
  refusedAny: 'Benutzername, Passwort oder Code ist nicht richtig.',
  needed: 'Bitte ausfüllen.',
  signingInAs: 'Anmeldung als',
  signedOut: 'Sie sind abgemeldet.',
  over: 'Die Anmeldung hat zu lange gedauert oder wurde anderswo beendet. Bitte beginnen Sie von vorn.',
  linkRefused: 'Dieser Link gilt nicht mehr',
  startOver: 'Mit einem anderen Namen von vorn beginnen',
  code: {
    title: 'Code eingeben',
    label: 'Code aus Ihrer Authenticator-App',
    hint: 'Sechs Ziffern; Leerzeichen spielen keine Rolle.',
    wrong: 'Dieser Code hat nicht funktioniert. Warten Sie auf den nächsten und versuchen Sie es erneut.',
    clock: 'Codes hängen von der Uhrzeit ab. Unsere Uhr zeigt',
    clockHint: 'Zeigt Ihr Telefon etwas anderes, lassen Sie es die Zeit automatisch einstellen.',
    useRecovery: 'Stattdessen einen Wiederherstellungscode verwenden',
    useApp: 'Stattdessen die Authenticator-App verwenden',
    recoveryTitle: 'Wiederherstellungs\u00adcode eingeben',
    recoveryLabel: 'Wiederherstellungscode',
    recoveryHint: 'Einer der Codes, die Sie beim Einrichten gespeichert haben. Jeder funktioniert einmal.',
    recoveryWrong: 'Dieser Wiederherstellungscode hat nicht funktioniert. Jeder funktioniert nur einmal.',
    single: 'Code aus Ihrer Authenticator-App',
    singleHint: 'Lassen Sie das Feld leer, wenn Sie noch keine App eingerichtet haben.',
    required: 'Zuerst muss ein Einmalcode eingerichtet werden. Lassen Sie den Code leer, um zu beginnen.',
  },
  enrol: {
    title: 'Authenticator einrichten',
    intro:
      'Ab jetzt gehört ein Code von Ihrem Telefon zur Anmeldung. Sie brauchen eine Authenticator-App; jede mit sechsstelligen Codes ist geeignet.',
    scan: 'Scannen Sie dieses Bild mit der App',
    qr: 'QR-Code für eine Authenticator-App',
    manual: 'Oder tippen Sie dieses Geheimnis in die App',
    link: 'In einer App auf diesem Gerät öffnen',
    confirm: 'Geben Sie dann den Code ein, den die App zeigt',
    label: 'Sechsstelliger Code',
    submit: 'Bestätigen',
    begin: 'Beginnen',
    expired:
      'Das Einrichten hat zu lange gedauert; das bisherige Geheimnis gilt nicht mehr. Beginnen Sie von vorn.',
    wrong:
      'Dieser Code hat nicht funktioniert. Das Bild gilt weiter: Warten Sie auf den nächsten Code und versuchen Sie es erneut.',
    tooMany: (maximum) =>
      `Sie haben ${maximum} Authenticatoren; mehr sind nicht möglich. Entfernen Sie zuerst einen.`,
    secondsLeft: (left) => `Sie haben dafür ${left}.`,
    deviceName: 'Authenticator',
  },
  recovery: {
    title: 'Wiederherstellungs\u00adcodes speichern',
    intro:
      'Wenn Sie Ihr Telefon verlieren, meldet Sie stattdessen einer dieser Codes an. Jeder funktioniert einmal. Sie werden nur jetzt gezeigt: Drucken Sie sie aus oder bewahren Sie sie in einem Passwortmanager auf.',
    codes: 'Wiederherstellungscodes',
    saved: 'Ich habe sie an einem sicheren Ort gespeichert.',
    savedNeeded: 'Speichern Sie zuerst die Codes und setzen Sie dann diesen Haken.',
    fileName: 'wiederherstellungscodes.txt',
    usedTitle: 'Sie haben sich mit einem Wiederherstellungs\u00adcode angemeldet',
    left: (count) =>
      count === 0
        ? 'Das war Ihr letzter. Erzeugen Sie jetzt neue, sonst sind Sie ausgesperrt, wenn Ihr Authenticator wieder ausfällt.'
        : `Er gilt nicht mehr. Sie haben noch ${count}.`,
    ended: 'Ihre anderen Sitzungen und Ihre App-Passwörter wurden beendet.',
    newDevice:
      'Wenn Ihr Telefon verloren ist, richten Sie jetzt einen neuen Authenticator ein und entfernen Sie den alten.',
    toDevices: 'Neuen Authenticator einrichten',
    toCodes: 'Neue Wiederherstellungscodes erzeugen',
  },
  newPassword: {
    title: 'Neues Passwort wählen',
    intro: 'Ihr Passwort muss ersetzt werden, bevor es weitergeht.',
    label: 'Neues Passwort',
    submit: 'Speichern und weiter',
  },
  confirm: {
    title: 'Bestätigen Sie, dass Sie es sind',
    intro: 'Was Sie vorhaben, braucht einen frischen Nachweis. Er gilt einige Minuten.',
    submit: 'Bestätigen',
    refused: 'Passwort oder Code ist nicht richtig.',
    refusedPassword: 'Das Passwort ist nicht richtig.',
  },
  setup: {
    title: 'Willkommen',
    intro:
      'Legen Sie das erste Konto an. Es darf alles; deshalb wird als Nächstes ein Einmalcode dafür eingerichtet.',
    code: 'Einrichtungscode',
    codeHint: 'Der Teil hinter # der Adresse, die der Server beim Start ausgegeben hat.',
    displayName: 'Ihr Name (freiwillig)',
    submit: 'Konto anlegen',
    refused:
      'Diese Einrichtungsadresse gilt nicht mehr: Sie gilt eine Stunde und nur einmal. Starten Sie den Server neu, um eine neue zu erhalten.',
    done: 'Das erste Konto gibt es schon. Melden Sie sich damit an.',
  },
  invite: {
    title: 'Willkommen',
    intro: 'Wählen Sie ein Passwort. Danach richten Sie einen Einmalcode ein.',
    code: 'Einladungscode',
    codeHint: 'Der Teil hinter # des Links, den Sie erhalten haben.',
    submit: 'Speichern und weiter',
    refused: 'Diese Einladung gilt nicht mehr: Sie gilt einen Tag und nur einmal. Bitten Sie um eine neue.',
    signOutFirst: 'Sie sind in diesem Browser angemeldet; diese Einladung ist vielleicht für jemand anderen.',
  },
  passwordRules: (minimum) =>
    `Mindestens ${minimum} Zeichen. Gut sind einige Wörter, die nur Sie so zusammenstellen würden.`,
  passwordProblems: {
    tooShort: (minimum) =>
      `Nehmen Sie mindestens ${minimum} Zeichen; einige Wörter ohne Zusammenhang sind leicht zu merken.`,
    tooLong: 'Dieses Passwort ist zu lang.',
    common: 'Dieses Passwort gehört zu den häufigsten und wird zuerst geraten. Wählen Sie ein anderes.',
    breached: 'Dieses Passwort steht auf einer Liste bekannt gewordener Passwörter. Wählen Sie ein anderes.',
    siteWord: 'Dieses Passwort ist ein Name, der hierher gehört, mit etwas daran. Wählen Sie ein anderes.',
    unchanged: 'Das ist Ihr bisheriges Passwort. Wählen Sie ein anderes.',
  },
  usernameProblems: {
    empty: 'Ein Benutzername wird gebraucht.',
    tooLong: 'Ein Benutzername darf höchstens 64 Zeichen haben.',
    forbiddenCharacter: 'Ein Benutzername darf nur Buchstaben, Ziffern und . _ - @ + enthalten.',
    mixedScripts:
      'Ein Benutzername darf keine Alphabete mischen, weil Buchstaben verschiedener Alphabete gleich aussehen können.',
    surroundingSpace: 'Ein Benutzername darf nicht mit einem Leerzeichen beginnen oder enden.',
    trailingDot: 'Ein Benutzername darf nicht mit . @ + - beginnen oder mit einem Punkt enden.',
    taken: 'Dieser Benutzername ist vergeben.',
    displayName: 'Ein Name darf bis zu 128 Zeichen haben, keines davon unsichtbar.',
  },
}

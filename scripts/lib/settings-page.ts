import { describeSettings } from '../../src/config/describe.ts'

/** The page of all settings, made from the one table of them (SEC-DOC-1, SEC-DOC-3). */
export function settingsPage(): string {
  const rows = describeSettings().map(
    ({ name, environment, type, default: fallback, help }) =>
      `| \`${name}\` | ${environment === undefined ? '(file only)' : `\`${environment}\``} | ${cell(fallback)} | ${cell(type)} | ${cell(help)} |`,
  )
  return `# Settings

Made from the program by \`npm run docs\`; \`npx watchword config\` shows what is in force and where it comes from.

Settings stand in \`watchword.toml\` in the folder where the program starts, or in the file that \`--config\` or
\`WATCHWORD_CONFIG\` names. The environment goes before the file. A name with a dot is a key of a section:
\`login.enrolment\` is \`enrolment\` under \`[login]\`. Lists in the environment are separated by commas. A variable whose
setting may hold a password can name a file instead, with \`_FILE\` added to its name.

Access policies are tables with names of your own: \`policies.NAME.groups\` is \`groups\` under \`[policies.wiki]\` for the
policy \`wiki\`. They stand in the file only.

A key that is not known, a value of the wrong type or out of range, a file that cannot be read: each stops the program
with the file, the key and what to write instead.

| setting | environment | default | what to write | meaning |
|---|---|---|---|---|
${rows.join('\n')}
`
}

const cell = (text: string) => text.replaceAll('|', '\\|')

import type { Waits } from '../../actions/look-up-waits.ts'
import type { Session } from '../../domain/session.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { ListedEvent } from '../../store/views/list-audit.ts'
import type { ShownUser } from '../../store/views/show-user.ts'
import { type Html, html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { programText } from './account-frame.ts'
import { type AdminNotice, adminPage, scrolling, tag, withQuery } from './admin-parts.ts'
import { dangerSection } from './admin-user-actions.ts'
import { auditSentence } from './audit-sentence.ts'
import { formStart, instant, waitText } from './parts.ts'

/** A reset of the second factor that waits for another administrator. */
export interface WaitingReset {
  readonly requestedBy: string
  /** Whether this administrator may carry it out. */
  readonly mayApprove: boolean
  readonly requestedAt: UnixSeconds
  readonly expiresAt: UnixSeconds
}

/** A user as an administrator sees them: everything but secrets (SEC-PW-14, SEC-OTP-9). */
export interface AdminUserProps {
  readonly user: Omit<ShownUser, 'sessions'>
  /** Those that hold. */
  readonly sessions: readonly Session[]
  /** How long the next attempt has to wait. */
  readonly waits: Waits
  /** The latest first. */
  readonly activity: readonly ListedEvent[]
  /** Groups that the user is not in. */
  readonly otherGroups: readonly string[]
  readonly waitingReset: WaitingReset | undefined
  /** Whether the administrator looks at their own account. */
  readonly isOwn: boolean
  readonly said: AdminNotice | undefined
}

/** Sessions that are shown, the latest; whoever has more ends them all. */
const SESSIONS = 10

export function adminUserPage(view: View, props: AdminUserProps): Page {
  const { user } = props
  return adminPage(view, {
    part: 'users',
    title: user.username,
    said: props.said,
    body: html`<h1>${user.username} ${user.isSuperuser ? tag(view.t.admin.users.tags.superuser) : ''}${user.disabledAt === undefined ? '' : tag(view.t.admin.users.tags.disabled, 'bad')}</h1>
<section class="card">${facts(view, props)}</section>
${dangerSection(view, props)}
${groupsSection(view, props)}
${devicesSection(view, props)}
${appPasswordsSection(view, props)}
${codeWindowsSection(view, props)}
${sessionsSection(view, props)}
${activitySection(view, props)}`,
  })
}

function facts({ t }: View, { user, waits }: AdminUserProps): Html {
  const { user: words } = t.admin
  const wait = Math.max(waits.password, waits.code)
  const fact = (name: string, value: Html | string) => html`<dt>${name}</dt><dd>${value}</dd>
`
  const changed = html`${words.passwordSet} ${instant(t, user.passwordChangedAt)}${user.mustChangePassword ? `; ${words.mustChange}` : ''}`
  return html`<dl class="facts">
${user.displayName === '' ? '' : fact(t.admin.users.name, user.displayName)}
${fact(words.id, html`<code>${user.id}</code>`)}
${fact(words.made, instant(t, user.createdAt))}
${fact(t.admin.users.lastSignIn, instant(t, user.lastSignInAt))}
${user.disabledAt === undefined ? '' : fact(words.disabledSince, instant(t, user.disabledAt))}
${fact(words.password, user.passwordChangedAt === undefined ? words.noPassword : changed)}
${user.invitedUntil === undefined ? '' : fact(words.invitedUntil, instant(t, user.invitedUntil))}
${fact(words.secondFactor, words.secondFactors[secondFactorState(user)])}
${fact(words.recoveryCodes, String(user.recoveryCodesLeft))}
${wait === 0 ? '' : fact(words.wait, words.waitFor(waitText(t, wait)))}
</dl>`
}

function secondFactorState(user: AdminUserProps['user']) {
  if (user.devices.some(({ disabled }) => !disabled)) return 'active'
  if (user.enrolmentPending) return 'pending'
  return user.hasSecondFactor ? 'unusable' : 'none'
}

function groupsSection(view: View, { user, otherGroups }: AdminUserProps): Html {
  const { t } = view
  const { user: words } = t.admin
  const members = user.groups.map(
    (
      group,
    ) => html`<li class="row spread">${group}${formStart(view, `/admin/users/${user.id}/groups/remove`)}<input type="hidden" name="group" value="${group}"><button class="plain small" aria-label="${words.removeFromGroup(group)}">${words.remove}</button></form></li>
`,
  )
  const options = otherGroups.map((group) => html`<option>${group}</option>`)
  return html`<section class="card"><h2>${t.admin.nav.groups}</h2>
${members.length === 0 ? html`<p>${words.noGroups}</p>` : html`<ul class="items">${members}</ul>`}
${
  options.length === 0
    ? ''
    : html`${formStart(view, `/admin/users/${user.id}/groups/add`, ' class="row end"')}<div class="field"><label for="group">${words.addToGroup}</label><select id="group" name="group">${options}</select></div><button class="plain">${words.add}</button></form>`
}
</section>`
}

function devicesSection({ t }: View, { user }: AdminUserProps): Html {
  const { user: words } = t.admin
  const rows = user.devices.map(
    (
      device,
    ) => html`<tr><td>${device.name} ${device.disabled ? tag(t.admin.users.tags.disabled, 'bad') : ''}</td><td>${device.kind === 'totp' ? t.account.devices.app : t.account.devices.token}</td><td>${instant(t, device.createdAt)}</td><td>${instant(t, device.lastUsedAt)}</td></tr>
`,
  )
  const table = html`<table><thead><tr><th>${words.device}</th><th>${words.kind}</th><th>${words.added}</th><th>${words.lastUsed}</th></tr></thead><tbody>
${rows}</tbody></table>`
  return html`<section class="card"><h2>${words.devices}</h2>
${rows.length === 0 ? html`<p>${words.noDevices}</p>` : scrolling(words.devices, table)}
</section>`
}

function appPasswordsSection(view: View, { user }: AdminUserProps): Html | string {
  const { t } = view
  const { appPasswords: words } = t.account
  if (user.appPasswords.length === 0) return ''
  const rows = user.appPasswords.map(
    (
      owned,
    ) => html`<tr><td>${owned.name}</td><td>${owned.policies.join(', ')}</td><td>${instant(t, owned.expiresAt)}</td><td>${instant(t, owned.lastUsedAt)}</td><td>${owned.lastUsedAddress ?? ''}</td><td>${formStart(view, `/admin/users/${user.id}/app-passwords/revoke`)}<input type="hidden" name="app_password" value="${owned.id}"><button class="plain small" aria-label="${words.revokeOf(owned.name)}">${words.revoke}</button></form></td></tr>
`,
  )
  const table = html`<table><thead><tr><th>${words.name}</th><th>${words.opens}</th><th>${words.ends}</th><th>${t.account.lastUsed}</th><th>${t.account.sessions.address}</th><td></td></tr></thead><tbody>
${rows}</tbody></table>`
  return html`<section class="card"><h2>${words.title}</h2>
${scrolling(words.title, table)}
</section>`
}

function codeWindowsSection(view: View, { user }: AdminUserProps): Html | string {
  const { t } = view
  const { sessions } = t.account
  const { programs: words } = sessions
  if (user.codeWindows.length === 0) return ''
  const rows = user.codeWindows.map(
    (
      window,
    ) => html`<tr><td>${window.host}</td><td>${window.policy}</td><td>${window.address}</td><td>${instant(t, window.expiresAt)}</td><td>${instant(t, window.lastUsedAt)}</td><td>${formStart(view, `/admin/users/${user.id}/code-windows/end`)}<input type="hidden" name="code_window" value="${window.id}"><button class="plain small" aria-label="${words.endOf(window.host, window.address)}">${sessions.end}</button></form></td></tr>
`,
  )
  const table = html`<table><thead><tr><th>${words.host}</th><th>${words.opens}</th><th>${sessions.address}</th><th>${words.ends}</th><th>${t.account.lastUsed}</th><td></td></tr></thead><tbody>
${rows}</tbody></table>`
  return html`<section class="card"><h2>${words.title}</h2>
${scrolling(words.title, table)}
</section>`
}

function sessionsSection(view: View, { user, sessions }: AdminUserProps): Html {
  const { t } = view
  const { user: words } = t.admin
  const path = `/admin/users/${user.id}/sessions/end`
  const rows = sessions.slice(0, SESSIONS).map(
    (
      session,
    ) => html`<tr><td>${instant(t, session.createdAt)}</td><td>${instant(t, session.lastSeenAt)}</td><td>${session.address}</td><td>${programText(t, session.userAgent)}</td><td>${formStart(view, path)}<input type="hidden" name="session" value="${session.id}"><button class="plain small" aria-label="${words.endOne(programText(t, session.userAgent), session.address)}">${words.end}</button></form></td></tr>
`,
  )
  const table = html`<table><thead><tr><th>${words.since}</th><th>${words.lastSeen}</th><th>${words.address}</th><th>${words.browser}</th><td></td></tr></thead><tbody>
${rows}</tbody></table>`
  return html`<section class="card"><h2>${words.sessions}</h2>
${
  rows.length === 0
    ? html`<p>${words.noSessions}</p>`
    : html`${scrolling(words.sessions, table)}
${sessions.length > SESSIONS ? html`<p>${words.moreSessions(sessions.length - SESSIONS)}</p>` : ''}
${formStart(view, path)}<input type="hidden" name="session" value="all"><button class="danger">${words.endAll}</button></form>`
}
</section>`
}

function activitySection({ t }: View, { user, activity }: AdminUserProps): Html {
  const { user: words } = t.admin
  const items = activity.map(
    (
      event,
    ) => html`<tr><td>${instant(t, event.at)}</td><td>${auditSentence(t, event)}</td><td>${event.address ?? ''}</td></tr>
`,
  )
  return html`<section class="card"><h2>${words.activity}</h2>
${items.length === 0 ? html`<p>${words.noActivity}</p>` : scrolling(words.activity, html`<table><thead><tr><th>${t.admin.audit.when}</th><th>${t.admin.audit.what}</th><th>${t.admin.audit.from}</th></tr></thead><tbody>${items}</tbody></table>`)}
<p><a href="${withQuery('/admin/audit', { user: user.username })}">${words.allActivity}</a></p>
</section>`
}

import type { Command } from 'commander'
import { type ChangeGroupOutcome, changeGroup, type GroupChange } from '../../../actions/change-group.ts'
import type { ExitCode } from '../../exit-code.ts'
import { examples, type Handler, type Invocation } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, refuse } from '../../terminal.ts'

/** `watchword group create` */
export function declareGroupCreate(command: Command): Handler {
  command.argument('<group>')
  examples(command, 'watchword group create staff')
  return (given) => change(given, 'create')
}

/** `watchword group delete` */
export function declareGroupDelete(command: Command): Handler {
  command.argument('<group>')
  examples(command, 'watchword group delete staff')
  return (given) => change(given, 'delete')
}

/** `watchword group add` */
export function declareGroupAdd(command: Command): Handler {
  command.argument('<group>').argument('<username>')
  examples(command, 'watchword group add staff bob')
  return (given) => change(given, 'add')
}

/** `watchword group remove` */
export function declareGroupRemove(command: Command): Handler {
  command.argument('<group>').argument('<username>')
  examples(command, 'watchword group remove staff bob')
  return (given) => change(given, 'remove')
}

function change(
  { args: [group = '', username = ''], configFile }: Invocation,
  kind: GroupChange['kind'],
): Promise<ExitCode> {
  return withServices(configFile, async (services) => {
    const wanted: GroupChange = { kind, group, who: username }
    return report(wanted, await changeGroup(services, wanted, operator()), username)
  })
}

function report({ kind, group }: GroupChange, outcome: ChangeGroupOutcome, username: string): ExitCode {
  switch (outcome.kind) {
    case 'changed':
      return done(changed(kind, group, username))
    case 'already-so':
      return refuse(alreadySo(kind, group, username))
    case 'no-such-group':
      return refuse(`There is no group "${group}". To make it: watchword group create ${group}`)
    case 'no-such-user':
      return refuse(noSuchUser(username))
    case 'unsuitable-name':
      return refuse(
        'The name of a group has 1 to 64 small letters a-z, digits and . _ - and begins with a letter or digit.',
      )
  }
}

function changed(kind: GroupChange['kind'], group: string, username: string): string {
  switch (kind) {
    case 'create':
      return `Group ${group} is made.`
    case 'delete':
      return `Group ${group} is deleted.`
    case 'add':
      return `${username} is in ${group}.`
    case 'remove':
      return `${username} is no longer in ${group}.`
  }
}

function alreadySo(kind: GroupChange['kind'], group: string, username: string): string {
  switch (kind) {
    case 'create':
    case 'delete':
      return `There is a group "${group}" already.`
    case 'add':
      return `${username} is in ${group} already.`
    case 'remove':
      return `${username} is not in ${group}.`
  }
}

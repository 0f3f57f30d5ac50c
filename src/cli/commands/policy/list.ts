import type { Command } from 'commander'
import type { AccessPolicy } from '../../../domain/access.ts'
import { codeWindowLength, takesPasswordCode } from '../../../domain/code-window.ts'
import { examples, type Handler } from '../../invocation.ts'
import { withServices } from '../../open-services.ts'
import { done, printJson, printTable } from '../../terminal.ts'

/** `watchword policy list` */
export function declarePolicyList(command: Command): Handler {
  command.option('--json', 'for a program: {"policies": […]}')
  command.addHelpText(
    'after',
    '\nFor each group there is also group-NAME: two factors, and membership of it.\nOwn policies stand in watchword.toml, under [policies.NAME].',
  )
  examples(command, 'watchword policy list')
  return ({ configFile }) =>
    withServices(configFile, async ({ policy: { accessPolicies } }) => {
      if (command.opts<{ json?: true }>().json) {
        printJson({ policies: accessPolicies.map(asJson) })
        return done()
      }
      printTable(
        ['POLICY', 'PROOF', 'WITHIN', 'WHO', 'FROM', 'BY'],
        accessPolicies.map((policy) => [
          policy.name,
          policy.proof,
          policy.within === undefined ? '' : `${policy.within} s`,
          [...policy.groups.map((group) => `group ${group}`), ...policy.users].join(', ') || 'everybody',
          policy.networks.map(blockOf).join(', ') || 'everywhere',
          policy.access.join(', '),
        ]),
      )
      return done()
    })
}

function asJson(policy: AccessPolicy) {
  const { within, codeWindow: _, lease: __, networks, ...rest } = policy
  return {
    ...rest,
    within: within ?? null,
    code_window: takesPasswordCode(policy) ? codeWindowLength(policy) : null,
    networks: networks.map(blockOf),
  }
}

const blockOf = ({ address, prefix }: AccessPolicy['networks'][number]) => `${address}/${prefix}`

/** Nobody has that name. */
export const noSuchUser = (username: string): string =>
  `There is no user "${username}"; those that there are: watchword user list.`

/** No place was free to hash a password. */
export const busy = 'The machine is too busy to hash a password. Try again.'

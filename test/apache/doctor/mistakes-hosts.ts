import type { Mistake } from './mistakes-places.ts'
import { place, repository, type Written } from './site.ts'

const app = 'ProxyPass "/app" "http://127.0.0.1:9001/app"'
const protectedApp = (beside: string, more: Written = {}): Written => ({
  wiki: `${app}\n${place('/app', beside)}`,
  ...more,
})
const around = (lines: string, more: Written = {}): Written => ({
  wiki: `${place('/pages')}\n${lines}`,
  ...more,
})
const byHand = (lines: string): Written => ({
  wiki: `<Location "/pages">\nInclude watchword/secret.conf\nSetEnvIf Request_Method "^" WW_POLICY=two-factor\n${lines}\n</Location>`,
})
const check =
  'AuthnzFcgiCheckAuthnProvider watchword Authoritative On RequireBasicAuth Off UserExpr "%{reqenv:REMOTE_USER}"'
const host = (lines: string, port = 8443): string => {
  const tls = 'SSLEngine on\nSSLCertificateFile F/certificate.pem\nSSLCertificateKeyFile F/key.pem'
  return `<VirtualHost *:${port}>\nServerName other.example.net\n${port === 8443 ? tls : ''}\n${lines}\n</VirtualHost>`
}
const change = (name: string, edit: (text: string) => string): Written => ({ files: { [name]: edit } })

/** Headers, lines written by hand, and what holds for a host or the whole server. */
export const mistakesInHosts: readonly Mistake[] = [
  [
    'copies the lines',
    'hand-written',
    byHand(`AuthType Watchword\nAuthName Watchword\n${check}\nRequire valid-user`),
  ],
  [
    'copies the lines without a Require',
    'require-missing',
    byHand(`AuthType Watchword\nAuthName Watchword\n${check}`),
  ],
  [
    'copies the lines and lets all in',
    'require-beside',
    byHand(`AuthType Watchword\nAuthName Watchword\n${check}\nRequire valid-user\nRequire all granted`),
  ],
  [
    'copies the lines and lets all in within a container',
    'require-beside',
    byHand(
      `AuthType Watchword\nAuthName Watchword\n${check}\n<RequireAny>\nRequire valid-user\nRequire local\n</RequireAny>`,
    ),
  ],
  ['copies the lines without a type', 'auth-type', byHand(`${check}\nRequire valid-user`)],
  [
    'copies the lines without a name',
    'auth-type',
    byHand(`AuthType Watchword\n${check}\nRequire valid-user`),
  ],
  [
    'copies the lines without the user expression',
    'user-expression',
    byHand(
      'AuthType Watchword\nAuthName Watchword\nAuthnzFcgiCheckAuthnProvider watchword Authoritative On RequireBasicAuth Off\nRequire valid-user',
    ),
  ],
  [
    'copies the lines with Authoritative Off',
    'authoritative-off',
    byHand(
      `AuthType Watchword\nAuthName Watchword\n${check.replace('Authoritative On', 'Authoritative Off')}\nRequire valid-user`,
    ),
  ],
  [
    'copies the lines without unsetting headers',
    'header-twins',
    byHand(
      `AuthType Watchword\nAuthName Watchword\n${check}\nRequire valid-user\nRequestHeader set X-Remote-User "expr=%{REMOTE_USER}"`,
    ),
  ],
  [
    'copies the lines and passes Connection on',
    'connection-header',
    byHand(
      `AuthType Watchword\nAuthName Watchword\n${check}\nRequire valid-user\nRequestHeader unset X-Remote-User\nRequestHeader unset X_Remote_User\nRequestHeader unset X-Remote_User`,
    ),
  ],
  [
    'copies the lines and names no policy',
    'unknown-policy',
    {
      wiki: `<Location "/pages">\nAuthType Watchword\nAuthName Watchword\n${check}\nRequire valid-user\n</Location>`,
    },
  ],
  [
    'writes a name before the file unsets it',
    'identity-header',
    {
      wiki: `${app}\n<Location "/app">\nRequestHeader set X-Remote-User "expr=%{REMOTE_USER}"\nInclude watchword/protect-two-factor.conf\n</Location>`,
    },
  ],
  ['takes the name away again', 'identity-header', protectedApp('RequestHeader unset X-Remote-User')],
  [
    'adds a name that a visitor sends',
    'identity-header',
    protectedApp('RequestHeader add X-Remote-User "%{X-User}i"'),
  ],
  ['calls everybody admin', 'identity-header', protectedApp('RequestHeader set X-WebAuth-User admin')],
  ['merges groups', 'identity-header', protectedApp('RequestHeader merge X-Remote-Groups "staff"')],
  [
    'fills in a name where there is none',
    'identity-header',
    protectedApp('RequestHeader setifempty Remote-User "anonymous"'),
  ],
  [
    'writes the name too early',
    'identity-header',
    { wiki: `${app}\nRequestHeader set X-Remote-User "%{REMOTE_USER}e" early\n${place('/app')}` },
  ],
  [
    'writes the name under a header with twins',
    'header-twins',
    protectedApp('RequestHeader set X-Proxy-User "expr=%{REMOTE_USER}"'),
  ],
  [
    'writes the name in a part',
    'identity-header',
    {
      wiki: `${app}\n${place('/app')}\n<Location "/app/admin">\nRequestHeader set X-Remote-User root\n</Location>`,
    },
  ],
  [
    'passes Connection on',
    'connection-header',
    protectedApp('RequestHeader set Connection "%{HTTP_CONNECTION}e"'),
  ],
  ['puts the cookies back', 'cookie-header', protectedApp('RequestHeader set Cookie "%{HTTP_COOKIE}e"')],
  ['takes cookies before Watchword sees them', 'cookie-header', around('RequestHeader unset Cookie early')],
  [
    'shows cookies to the application next door',
    'cookie-header',
    around('ProxyPass "/shop" "http://127.0.0.1:9002/"'),
  ],
  [
    'hands app passwords to programs',
    'pass-authorization',
    around('SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1'),
  ],
  [
    'hands app passwords to programs by a rule',
    'pass-authorization',
    around('RewriteEngine on\nRewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]'),
  ],
  ['names the user by a variable', 'reserved-variable', around('SetEnvIf X-User "(.+)" REMOTE_USER=$1')],
  [
    'calls a request admitted',
    'reserved-variable',
    around('SetEnvIf Request_URI "^/pages/public" WW_USER_ID=1'),
  ],
  [
    'calls a request admitted by a rule',
    'reserved-variable',
    around('RewriteEngine on\nRewriteRule ^/pages/public - [E=WW_USER_ID:1]'),
  ],
  [
    'writes the secret into the host',
    'secret-elsewhere',
    around('SetEnvIf Request_Method "^" WW_SECRET=abcdefghijklmnopqrstuvwxyz'),
  ],
  ['sends the secret on', 'secret-elsewhere', protectedApp('RequestHeader set X-Proof "%{WW_SECRET}e"')],
  ['opens TRACE again', 'trace', around('TraceEnable on')],
  ['opens TRACE for the server', 'trace', { server: 'TraceEnable extended', wiki: place('/pages') }],
  [
    'protects a host without TLS',
    'plain-http',
    {
      plain: `<VirtualHost *:8080>\nServerName wiki.example.net\nDocumentRoot F/other\n${place('/')}\n</VirtualHost>`,
    },
  ],
  [
    'protects the whole server, a host without TLS too',
    'plain-http',
    { server: place('/pages'), plain: '<VirtualHost *:8080>\nServerName wiki.example.net\n</VirtualHost>' },
  ],
  ['switches TLS off', 'plain-http', around('SSLEngine off')],
  ['does not list the host', 'return-origin', around('', { settings: { returnOrigins: [] } })],
  ['serves the folder around the files', 'other-door', around('Alias "/all" "F/"')],
  [
    'passes to the application by the address of the machine',
    'other-door',
    { wiki: `${app}\nProxyPass "/old" "http://192.0.2.10:9001/app"\n${place('/app')}` },
  ],
  [
    'serves a repository under another path',
    'other-door',
    {
      modules: ['dav', 'dav_svn'],
      wiki: `<Location "/svn">\nDAV svn\nSVNPath /srv/svn\nInclude watchword/protect-two-factor.conf\n</Location>\n<Location "/old">\nDAV svn\nSVNPath /srv/svn\n</Location>`,
    },
  ],
  ['leaves the rules of Subversion to ask for nobody', 'svn-rules', repository('')],
  ['asks the rules of Subversion for nobody, in words', 'svn-rules', repository('  SVNPathAuthz On')],
  ['asks the rules of Subversion for one path alone', 'svn-rules', repository('  SVNPathAuthz Off')],
  [
    'says short_circuit for another repository',
    'svn-rules',
    {
      modules: ['dav', 'dav_svn', 'authz_svn'],
      wiki: `${repository('').wiki}\n<Location "/other">\nSVNPathAuthz short_circuit\n</Location>`,
    },
  ],
  [
    'asks the rules of Subversion for users only',
    'svn-rules',
    repository('  SVNPathAuthz short_circuit\n  AuthzSVNAnonymous Off'),
  ],
  [
    'lets in by the policy what the rules of Subversion refuse',
    'svn-rules',
    repository('  SVNPathAuthz short_circuit\n  AuthzSVNAuthoritative Off'),
  ],
  [
    'asks nobody where the rules of Subversion let everybody read',
    'svn-unasked',
    repository('  SVNPathAuthz short_circuit\n  AuthzSVNNoAuthWhenAnonymousAllowed On'),
  ],
  [
    'has rules of Subversion where leases let in',
    'svn-leased',
    repository('  SVNPathAuthz short_circuit', 'two-factor'),
  ],
  [
    'has rules of Subversion below a place where leases let in',
    'svn-leased',
    {
      modules: ['dav', 'dav_svn', 'authz_svn'],
      wiki: `${place('/')}\n<Location "/svn">\nDAV svn\nSVNPath F/svn\nAuthzSVNReposRelativeAccessFile authz\nSVNPathAuthz short_circuit\n</Location>`,
    },
  ],
  [
    'hands the application to a handler elsewhere',
    'other-door',
    {
      wiki: `${app}\n<Location "/old">\nSetHandler "proxy:http://127.0.0.1:9001/app"\n</Location>\n${place('/app')}`,
    },
  ],
  [
    'rewrites to the path of the files',
    'other-door',
    around('RewriteEngine on\nRewriteRule ^/old/(.*)$ /pages/$1 [L]'),
  ],
  [
    'redirects by rules that are not switched on',
    'other-door',
    around('', {
      plain:
        '<VirtualHost *:8080>\nServerName wiki.example.net\nDocumentRoot F/wiki\n<Directory "F/wiki">\nRequire all granted\n</Directory>\nRewriteRule ^ https://wiki.example.net%{REQUEST_URI} [R,L]\n</VirtualHost>',
    }),
  ],
  [
    'passes to one of several behind a balancer',
    'other-door',
    {
      modules: ['proxy_balancer', 'slotmem_shm', 'lbmethod_byrequests'],
      wiki: `<Proxy "balancer://several">\nBalancerMember "http://127.0.0.1:9001"\n</Proxy>\nProxyPass "/app" "balancer://several/app"\nProxyPass "/old" "http://127.0.0.1:9001/app"\n${place('/app')}`,
    },
  ],
  [
    'protects the pages of Watchword',
    'locked-out',
    { wiki: `ProxyPass "/" "http://127.0.0.1:8000/"\n${place('/')}` },
  ],
  [
    'rewrites to the application from a folder',
    'other-door',
    {
      wiki: `${app}\n<Directory "F/wiki/pages">\nRewriteEngine on\nRewriteRule ^(.*)$ http://127.0.0.1:9001/app/$1 [P]\n</Directory>\n${place('/app')}`,
    },
  ],
  [
    'rewrites to the application from a path',
    'other-door',
    {
      wiki: `${app}\n<Location "/old">\nRewriteEngine on\nRewriteRule .* http://127.0.0.1:9001/app/ [P]\n</Location>\n${place('/app')}`,
    },
  ],
  ['does not list another name of the host', 'return-origin', around('ServerAlias www.wiki.example.net')],
  [
    'serves the files without TLS too',
    'other-door',
    around('', {
      plain:
        '<VirtualHost *:8080>\nServerName wiki.example.net\nDocumentRoot F/wiki\n<Directory "F/wiki">\nRequire all granted\n</Directory>\n</VirtualHost>',
    }),
  ],
  [
    'serves the files on another host',
    'other-door',
    around('', {
      more: host('DocumentRoot F/wiki\n<Directory "F/wiki">\nRequire all granted\n</Directory>'),
    }),
  ],
  ['serves the files under another path', 'other-door', around('Alias "/old" "F/wiki/pages"')],
  ['serves them by an expression', 'other-door', around('AliasMatch "^/old/(.*)" "F/wiki/pages/$1"')],
  [
    'runs the programs under another path',
    'other-door',
    {
      wiki: `ScriptAlias "/cgi/" "F/cgi/"\nScriptAlias "/bin/" "F/cgi/"\n<Directory "F/cgi">\nRequire all granted\n</Directory>\n${place('/cgi')}`,
    },
  ],
  [
    'rewrites to the files',
    'other-door',
    around('RewriteEngine on\nRewriteRule ^/old/(.*)$ F/wiki/pages/$1 [L]'),
  ],
  [
    'passes another path to the application',
    'other-door',
    { wiki: `${app}\nProxyPass "/old" "http://127.0.0.1:9001/app"\n${place('/app')}` },
  ],
  [
    'passes to the application by localhost',
    'other-door',
    { wiki: `${app}\nProxyPass "/old" "http://localhost:9001/app"\n${place('/app')}` },
  ],
  [
    'passes everything to the application',
    'other-door',
    { wiki: `${app}\n${place('/app')}`, more: host('ProxyPass "/" "http://127.0.0.1:9001/"') },
  ],
  [
    'passes to it without TLS',
    'other-door',
    { wiki: `${app}\n${place('/app')}`, more: host('ProxyPass "/" "http://127.0.0.1:9001/"', 8080) },
  ],
  [
    'rewrites to the application',
    'other-door',
    {
      wiki: `${app}\nRewriteEngine on\nRewriteRule ^/old/(.*)$ http://127.0.0.1:9001/app/$1 [P]\n${place('/app')}`,
    },
  ],
  [
    'passes to it by an expression',
    'other-door',
    { wiki: `${app}\nProxyPassMatch "^/old/(.*)$" "http://127.0.0.1:9001/app/$1"\n${place('/app')}` },
  ],
  [
    'passes to it within a section',
    'other-door',
    {
      wiki: `${app}\n${place('/app')}\n<Location "/old">\nProxyPass "http://127.0.0.1:9001/app"\n</Location>`,
    },
  ],
  [
    'passes to its socket',
    'other-door',
    {
      wiki: `ProxyPass "/app" "unix:/run/app.sock|http://app/"\nProxyPass "/old" "unix:/run/app.sock|http://app/"\n${place('/app')}`,
    },
  ],
  [
    'lets the application listen to everybody',
    'application-exposed',
    protectedApp('', { machine: { listeners: [{ address: '0.0.0.0', port: 9001 }] } }),
  ],
  [
    'lets it listen to everybody by IPv6',
    'application-exposed',
    protectedApp('', { machine: { listeners: [{ address: '::', port: 9001 }] } }),
  ],
  [
    'reaches it by the address of the machine',
    'application-exposed',
    {
      wiki: `ProxyPass "/app" "http://192.0.2.10:9001/app"\n${place('/app')}`,
      machine: { listeners: [{ address: '192.0.2.10', port: 9001 }] },
    },
  ],
  [
    'lets others reach the authorizer',
    'authorizer-exposed',
    around('', { machine: { listeners: [{ address: '0.0.0.0', port: 9010 }] } }),
  ],
  [
    'asks another machine',
    'authorizer-address',
    {
      isNotEnabled: true,
      server: 'TraceEnable off\nAuthnzFcgiDefineProvider authn watchword fcgi://192.0.2.7:9010/',
      wiki: place('/pages'),
    },
  ],
  [
    'asks at another port',
    'authorizer-address',
    {
      isNotEnabled: true,
      server: 'TraceEnable off\nAuthnzFcgiDefineProvider authn watchword fcgi://127.0.0.1:9100/',
      wiki: place('/pages'),
    },
  ],
  [
    'does not enable the file for the server',
    'no-authorizer',
    {
      isNotEnabled: true,
      server: 'AuthnzFcgiDefineProvider authn watchword fcgi://127.0.0.1:9010/',
      wiki: place('/pages'),
    },
  ],
  ['switched the authorizer off', 'no-authorizer', around('', { settings: { authorizer: undefined } })],
  [
    'lets the group of Apache read the secret',
    'secret-readable',
    around('', { modes: { 'watchword/secret.conf': 0o640 } }),
  ],
  [
    'lets everybody read the secret',
    'secret-readable',
    around('', { modes: { 'watchword/secret.conf': 0o644 } }),
  ],
  [
    'kept the secret of before',
    'secret-stale',
    around(
      '',
      change('watchword/secret.conf', (text) => text.replace('abc', 'xyz')),
    ),
  ],
  [
    'edited the file of a policy',
    'stale-file',
    around(
      '',
      change('watchword/protect-two-factor.conf', (text) => `${text}Require all granted\n`),
    ),
  ],
  [
    'took a line out of it',
    'stale-file',
    around(
      '',
      change('watchword/protect-two-factor.conf', (text) => text.replace('AuthMerging Off\n', '')),
    ),
  ],
  [
    'edited the file for the server',
    'stale-file',
    around(
      '',
      change('conf-available/watchword-authorizer.conf', (text) =>
        text.replace('TraceEnable off', 'TraceEnable on'),
      ),
    ),
  ],
  [
    'removed the policy from the settings',
    'unknown-policy',
    {
      files: { 'watchword/protect-gone.conf': () => '# Written for a policy that is gone.\n' },
      wiki: place('/pages', '', 'gone'),
    },
  ],
  [
    'merges no slashes',
    'path-reading',
    {
      wiki: 'MergeSlashes Off\n<LocationMatch "^/pages/private(?:/|$)">\nInclude watchword/protect-two-factor.conf\n</LocationMatch>',
    },
  ],
  [
    'lets encoded slashes through',
    'path-reading',
    { wiki: `AllowEncodedSlashes NoDecode\nProxyPass "/" "http://127.0.0.1:9001/"\n${place('/admin')}` },
  ],
  [
    'passes the address on as it came',
    'path-reading',
    { wiki: `ProxyPass "/" "http://127.0.0.1:9001/" nocanon\n${place('/admin')}` },
  ],
  [
    'keeps pages of one for others',
    'cache',
    around('CacheEnable disk "/"', { modules: ['cache', 'cache_disk'] }),
  ],
  ['lets everybody use it as a proxy', 'forward-proxy', protectedApp('', { server: 'ProxyRequests On' })],
  ['writes what it sends into the log', 'log-level', around('LogLevel warn authnz_fcgi:trace5')],
  ['writes everything into the log', 'log-level', { server: 'LogLevel trace8', wiki: place('/pages') }],
  ['writes variables into the log', 'log-level', around('LogLevel info setenvif:trace2')],
  ['dumps requests', 'log-level', around('DumpIOInput On', { modules: ['dumpio'] })],
  ['logs cookies', 'logged-secret', around('CustomLog F/cookies.log "%h %{Cookie}i"')],
  [
    'logs app passwords',
    'logged-secret',
    { server: 'LogFormat "%h \\"%{Authorization}i\\" %>s" full', wiki: place('/pages') },
  ],
  [
    'shows the configuration',
    'server-info',
    around('<Location "/server-info">\nSetHandler server-info\n</Location>', { modules: ['info'] }),
  ],
  [
    'lets visitors choose their address',
    'remote-ip',
    around('RemoteIPHeader X-Forwarded-For', { modules: ['remoteip'] }),
  ],
  ['takes malformed requests', 'protocol-options', around('HttpProtocolOptions Unsafe')],
]

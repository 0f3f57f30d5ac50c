import type { FindingId } from '../../../src/apache/doctor/finding.ts'
import { place, type Written } from './site.ts'

/** What an operator gets wrong, the finding that must name it, and the configuration. */
export type Mistake = readonly [what: string, finds: FindingId, written: Written]

const inPages = (lines: string): Written => ({ wiki: place('/pages', lines) })
const inFolder = (lines: string): Written => ({
  wiki: `<Directory "F/wiki/pages">\nInclude watchword/protect-two-factor.conf\n</Directory>\n${lines}`,
})
const afterPages = (lines: string): Written => ({ wiki: `${place('/pages')}\n${lines}` })

/** What stands in a place itself, or in sections that Apache applies after it. */
export const mistakesInPlaces: readonly Mistake[] = [
  ['lets all in beside the file', 'require-beside', inPages('Require all granted')],
  ['lets an office in beside the file', 'require-beside', inPages('Require ip 192.0.2.0/24')],
  ['lets its own machine in beside the file', 'require-beside', inPages('Require local')],
  ['lets a domain in beside the file', 'require-beside', inPages('Require host example.net')],
  [
    'lets in by a variable',
    'require-beside',
    inPages('SetEnvIf User-Agent "Monitor" friend\nRequire env friend'),
  ],
  ['lets a method in', 'require-beside', inPages('Require method GET')],
  [
    'lets preflight requests in by an expression',
    'require-beside',
    inPages(`Require expr "%{REQUEST_METHOD} == 'OPTIONS'"`),
  ],
  ['believes that one user is meant', 'require-beside', inPages('Require user ada')],
  ['asks for any user once more', 'require-beside', inPages('Require valid-user')],
  [
    'gathers ways in',
    'require-beside',
    inPages('<RequireAny>\nRequire ip 10.0.0.0/8\nRequire valid-user\n</RequireAny>'),
  ],
  [
    'demands an address in a container of its own',
    'require-beside',
    inPages('<RequireAll>\nRequire ip 10.0.0.0/8\n</RequireAll>'),
  ],
  [
    'nests ways in',
    'require-beside',
    inPages('<RequireAll>\n<RequireAny>\nRequire local\nRequire all granted\n</RequireAny>\n</RequireAll>'),
  ],
  [
    'lets all but one address in',
    'require-beside',
    inPages('<RequireAll>\nRequire all granted\nRequire not ip 192.0.2.66\n</RequireAll>'),
  ],
  [
    'stands before the file',
    'require-beside',
    {
      wiki: '<Location "/pages">\nRequire all granted\nInclude watchword/protect-two-factor.conf\n</Location>',
    },
  ],
  [
    'lets in by a file of its own',
    'require-beside',
    {
      files: { 'open.conf': () => 'Require all granted\n' },
      ...inPages('Include open.conf'),
    },
  ],
  ['satisfies any', 'satisfy-any', inPages('Satisfy Any')],
  [
    'satisfies any by address',
    'satisfy-any',
    inPages('Order deny,allow\nDeny from all\nAllow from 10.0.0.0/8\nSatisfy any'),
  ],
  ['adds what the folder lets in', 'auth-merging', inPages('AuthMerging Or')],
  ['frees reading', 'limit', inPages('<Limit GET HEAD>\nRequire all granted\n</Limit>')],
  [
    'frees all but writing',
    'limit',
    inPages('<LimitExcept PUT POST DELETE>\nRequire all granted\n</LimitExcept>'),
  ],
  ['frees preflight requests', 'limit', inPages('<Limit OPTIONS>\nRequire all granted\n</Limit>')],
  [
    'allows a method as in 2.2',
    'limit',
    inPages('<Limit PROPFIND>\nOrder allow,deny\nAllow from all\nSatisfy Any\n</Limit>'),
  ],
  [
    'asks for reading only',
    'limit',
    {
      wiki: '<Location "/pages">\n<Limit GET>\nInclude watchword/protect-two-factor.conf\n</Limit>\n</Location>',
    },
  ],
  [
    'asks for writing only',
    'limit',
    {
      wiki: '<Location "/pages">\n<LimitExcept GET HEAD OPTIONS>\nInclude watchword/protect-two-factor.conf\n</LimitExcept>\n</Location>',
    },
  ],
  ['takes the user from Basic', 'auth-type', inPages('AuthType Basic')],
  ['takes the type away', 'auth-type', inPages('AuthType None')],
  [
    'brings a file of passwords',
    'other-provider',
    inPages('AuthBasicProvider file\nAuthUserFile F/htpasswd'),
  ],
  ['lets Basic fall through', 'other-provider', inPages('AuthBasicAuthoritative Off')],
  ['fakes Basic for the application', 'other-provider', inPages('AuthBasicFake "%{REMOTE_USER}" secret')],
  [
    'does not take the answer for the last word',
    'authoritative-off',
    inPages(
      'AuthnzFcgiCheckAuthnProvider watchword Authoritative Off RequireBasicAuth Off UserExpr "%{reqenv:REMOTE_USER}"',
    ),
  ],
  [
    'leaves the user expression out',
    'user-expression',
    inPages('AuthnzFcgiCheckAuthnProvider watchword Authoritative On RequireBasicAuth Off'),
  ],
  [
    'takes everybody for one user',
    'user-expression',
    inPages(
      'AuthnzFcgiCheckAuthnProvider watchword Authoritative On RequireBasicAuth Off DefaultUser guest UserExpr "%{reqenv:REMOTE_USER}"',
    ),
  ],
  [
    'takes the user from a header',
    'user-expression',
    inPages(
      'AuthnzFcgiCheckAuthnProvider watchword Authoritative On RequireBasicAuth Off UserExpr "%{req:X-User}"',
    ),
  ],
  ['takes the check away', 'wrong-provider', inPages('AuthnzFcgiCheckAuthnProvider None')],
  [
    'asks another provider',
    'wrong-provider',
    {
      server: 'AuthnzFcgiDefineProvider authn other fcgi://127.0.0.1:9011/',
      ...inPages(
        'AuthnzFcgiCheckAuthnProvider other Authoritative On RequireBasicAuth Off UserExpr "%{reqenv:REMOTE_USER}"',
      ),
    },
  ],
  [
    'demands Basic',
    'wrong-provider',
    inPages(
      'AuthnzFcgiCheckAuthnProvider watchword Authoritative On RequireBasicAuth On UserExpr "%{reqenv:REMOTE_USER}"',
    ),
  ],
  [
    'names another policy by hand',
    'reserved-variable',
    inPages('SetEnvIf Request_Method "^" WW_POLICY=password'),
  ],
  [
    'takes the name of the policy away',
    'reserved-variable',
    inPages('SetEnvIf Request_Method "^" !WW_POLICY'),
  ],
  ['includes two policies', 'two-policies', inPages('Include watchword/protect-password.conf')],
  [
    'lets its programs see app passwords',
    'pass-authorization',
    { wiki: place('/pages', 'CGIPassAuth On', 'two-factor-recent') },
  ],
  ['keeps app passwords from Watchword', 'pass-authorization', inPages('CGIPassAuth Off')],
  [
    'asks under a condition',
    'conditional',
    {
      wiki: `<Location "/pages">\n<If "%{REMOTE_ADDR} != '10.0.0.1'">\nInclude watchword/protect-two-factor.conf\n</If>\n</Location>`,
    },
  ],
  [
    'protects if a module is there that is not',
    'conditional',
    { wiki: `<IfModule mod_authnz_external.c>\n${place('/pages')}\n</IfModule>` },
  ],
  [
    'protects if something is defined that is not',
    'conditional',
    { wiki: `<IfDefine PROTECTED>\n${place('/pages')}\n</IfDefine>` },
  ],
  [
    'includes what need not be there',
    'conditional',
    { wiki: '<Location "/pages">\nIncludeOptional watchword/protect-two-factor.conf\n</Location>' },
  ],
  [
    'includes a name that is nowhere',
    'conditional',
    { wiki: '<Location "/pages">\nIncludeOptional watchword/protect-two-factro.conf\n</Location>' },
  ],
  [
    'sets the type and asks nobody',
    'not-included',
    { wiki: '<Location "/pages">\nAuthType Watchword\nAuthName Watchword\nRequire valid-user\n</Location>' },
  ],
  [
    'names a policy and asks nobody',
    'not-included',
    { wiki: '<Location "/pages">\nSetEnvIf Request_Method "^" WW_POLICY=two-factor\n</Location>' },
  ],
  ['forgets the first slash', 'narrow-match', { wiki: place('pages') }],
  [
    'writes a last slash too much',
    'narrow-match',
    { wiki: `ProxyPass "/app" "http://127.0.0.1:9001/app"\n${place('/app/')}` },
  ],
  [
    'ends an expression too soon',
    'narrow-match',
    { wiki: '<LocationMatch "^/pages$">\nInclude watchword/protect-two-factor.conf\n</LocationMatch>' },
  ],
  [
    'protects names of programs',
    'narrow-match',
    { wiki: '<LocationMatch "\\.php$">\nInclude watchword/protect-two-factor.conf\n</LocationMatch>' },
  ],
  ['protects one level only', 'narrow-match', { wiki: place('/pages/*') }],
  [
    'opens a part',
    'later-section',
    afterPages('<Location "/pages/public">\nRequire all granted\n</Location>'),
  ],
  [
    'opens a part to an office',
    'later-section',
    afterPages('<Location "/pages/office">\nRequire ip 192.0.2.0/24\n</Location>'),
  ],
  [
    'opens the host after the place',
    'later-section',
    afterPages('<Location "/">\nRequire all granted\n</Location>'),
  ],
  [
    'opens pictures by an expression',
    'later-section',
    afterPages('<LocationMatch "\\.(?:png|css|js)$">\nRequire all granted\n</LocationMatch>'),
  ],
  [
    'opens a part by wildcards',
    'later-section',
    afterPages('<Location "/pages/*/public">\nRequire all granted\n</Location>'),
  ],
  [
    'opens by a condition',
    'later-section',
    afterPages(`<If "%{HTTP_USER_AGENT} =~ /Monitor/">\nRequire all granted\n</If>`),
  ],
  [
    'opens by a condition in the place',
    'later-section',
    inPages(`<If "%{QUERY_STRING} == 'public'">\nRequire all granted\n</If>`),
  ],
  [
    'opens what a condition leaves',
    'later-section',
    inPages(`<If "-n %{HTTP:X-Internal}">\nRequire all denied\n</If>\n<Else>\nRequire all granted\n</Else>`),
  ],
  [
    'merges a part by or',
    'later-section',
    afterPages('<Location "/pages/public">\nAuthMerging Or\nRequire all granted\n</Location>'),
  ],
  [
    'takes the type away in a part',
    'auth-type',
    afterPages('<Location "/pages/public">\nAuthType None\nRequire all granted\n</Location>'),
  ],
  [
    'signs in otherwise in a part',
    'auth-type',
    afterPages(
      '<Location "/pages/dav">\nAuthType Basic\nAuthName x\nAuthUserFile F/htpasswd\nRequire valid-user\n</Location>',
    ),
  ],
  [
    'satisfies any in a part',
    'satisfy-any',
    afterPages('<Location "/pages/public">\nSatisfy Any\n</Location>'),
  ],
  [
    'frees a method in a part',
    'limit',
    afterPages('<Location "/pages/api">\n<Limit OPTIONS>\nRequire all granted\n</Limit>\n</Location>'),
  ],
  [
    'opens files of a folder',
    'later-section',
    inFolder('<Files "robots.txt">\nRequire all granted\n</Files>'),
  ],
  [
    'opens files in the section of the folder',
    'later-section',
    {
      wiki: '<Directory "F/wiki/pages">\nInclude watchword/protect-two-factor.conf\n<FilesMatch "\\.html$">\nRequire all granted\n</FilesMatch>\n</Directory>',
    },
  ],
  [
    'opens a folder in a folder',
    'later-section',
    inFolder('<Directory "F/wiki/pages/public">\nRequire all granted\n</Directory>'),
  ],
  [
    'opens folders by an expression',
    'later-section',
    inFolder('<DirectoryMatch "/public$">\nRequire all granted\n</DirectoryMatch>'),
  ],
  [
    'opens the path of a folder',
    'later-section',
    inFolder('<Location "/pages">\nRequire all granted\n</Location>'),
  ],
  [
    'lets .htaccess decide',
    'htaccess',
    {
      wiki: '<Directory "F/wiki/pages">\nAllowOverride All\nInclude watchword/protect-two-factor.conf\n</Directory>',
    },
  ],
  [
    'lets .htaccess below decide',
    'htaccess',
    inFolder('<Directory "F/wiki/pages/team">\nAllowOverride AuthConfig\n</Directory>'),
  ],
  [
    'opens the same folder, written without a slash',
    'later-section',
    {
      wiki: '<Directory "F/wiki/pages/">\nInclude watchword/protect-two-factor.conf\n</Directory>\n<Directory "F/wiki/pages">\nRequire all granted\n</Directory>',
    },
  ],
  [
    'puts the narrow place first',
    'place-order',
    { wiki: `${place('/pages', '', 'group-staff')}\n${place('/', '', 'password')}` },
  ],
  [
    'protects one path twice',
    'place-order',
    { wiki: `${place('/pages', '', 'two-factor-recent')}\n${place('/pages', '', 'password')}` },
  ],
]

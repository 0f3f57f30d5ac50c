import { balancedConfiguration } from '../../../src/apache/balancer.ts'
import { passengerConfiguration } from '../../../src/apache/passenger.ts'
import { vhostConfiguration } from '../../../src/apache/vhost.ts'
import { place, repository, type Written } from './site.ts'

const app = 'ProxyPass "/app" "http://127.0.0.1:9001/app"'
const cookies = `RequestHeader edit* Cookie "(?i)(?:^|[;,])\\s*(?:__Host-)?watchword-[^=;,]*(?:=[^;,]*)?" ""`

const balancerModules = [
  'reqtimeout',
  'slotmem_shm',
  'proxy_balancer',
  'proxy_hcheck',
  'lbmethod_bybusyness',
  'lbmethod_byrequests',
]

const nodes = balancedConfiguration({
  serverName: 'auth.example.com',
  certificate: '/F/certificate.pem',
  key: '/F/key.pem',
  nodes: [
    { kind: 'tcp', host: '127.0.0.1', port: 8000 },
    { kind: 'tcp', host: '10.0.0.12', port: 8000 },
  ],
  httpPort: 8080,
  httpsPort: 8443,
})

/** What the guide says, and what operators rightly make of it. */
export const right: Readonly<Record<string, Written>> = {
  'nothing protected at all': { wiki: app },
  'a path': { wiki: place('/pages') },
  'a whole host': { wiki: place('/') },
  'a folder': { wiki: '<Directory "F/wiki/pages">\nInclude watchword/protect-two-factor.conf\n</Directory>' },
  'an application': { wiki: `${app}\n${place('/app')}` },
  'an application for the whole host': { wiki: `ProxyPass "/" "http://127.0.0.1:9001/"\n${place('/')}` },
  'an application with a WebSocket': {
    modules: ['proxy_wstunnel'],
    wiki: `ProxyPass "/app/ws" "ws://127.0.0.1:9001/app/ws"\n${app}\nProxyPassReverse "/app" "http://127.0.0.1:9001/app"\n${place('/app')}`,
  },
  'a program': {
    wiki: `ScriptAlias "/cgi/" "F/cgi/"\n<Directory "F/cgi">\nRequire all granted\n</Directory>\n${place('/cgi')}`,
  },
  'folders over WebDAV': {
    modules: ['dav', 'dav_fs'],
    server: 'DavLockDB F/lock',
    wiki: place('/pages', '  Dav On', 'password'),
  },
  'a list of folders': {
    modules: ['autoindex'],
    wiki: `<Directory "F/wiki/pages">\nOptions +Indexes\n</Directory>\n${place('/pages')}`,
  },
  'a narrower place after a wider one': {
    wiki: `${place('/', '', 'password')}\n${place('/pages', '', 'group-staff')}`,
  },
  'a part that demands an address besides': {
    wiki: `${place('/pages')}\n<Location "/pages/inside">\nAuthMerging And\nRequire ip 10.0.0.0/8\n</Location>`,
  },
  'a part that is closed to all': {
    wiki: `${place('/pages')}\n<Location "/pages/private">\nRequire all denied\n</Location>`,
  },
  'a part for one user': {
    wiki: `${place('/pages')}\n<Location "/pages/ada">\nRequire user ada\n</Location>`,
  },
  'an expression for several paths': {
    wiki: '<LocationMatch "^/(?:pages|files)(?:/|$)">\nInclude watchword/protect-two-factor.conf\n</LocationMatch>',
  },
  'the name of the user under another header, its twins unset': {
    wiki: `${app}\n${place('/app', '  RequestHeader unset X_WebAuth_User\n  RequestHeader set X-WebAuth-User "expr=%{REMOTE_USER}"')}`,
  },
  'the name in a header of the application alone': {
    wiki: `${app}\n${place('/app', '  RequestHeader unset Remoteuser\n  RequestHeader set Remoteuser "%{REMOTE_USER}e"')}`,
  },
  'headers of the application that say nothing of the user': {
    wiki: `${app}\n${place('/app', '  RequestHeader set X-Forwarded-Proto "https"\n  Header always set X-Frame-Options DENY')}`,
  },
  'certificates proven under a protected host': {
    wiki: `${place('/')}\nAlias "/.well-known/acme-challenge/" "F/other/"\n<Location "/.well-known/acme-challenge/">\nRequire all granted\n</Location>`,
  },
  'an application beside the place that gets no cookies': {
    wiki: `${cookies}\nProxyPass "/shop" "http://127.0.0.1:9002/"\n${place('/pages')}`,
  },
  'another application on another host': {
    wiki: `${app}\n${place('/app')}`,
    more: '<VirtualHost *:8443>\nServerName shop.example.org\nSSLEngine on\nSSLCertificateFile F/certificate.pem\nSSLCertificateKeyFile F/key.pem\nProxyPass "/" "http://127.0.0.1:9002/"\n</VirtualHost>',
  },
  'a port of the application that only this machine reaches': {
    wiki: `${app}\n${place('/app')}`,
    machine: {
      listeners: [
        { address: '127.0.0.1', port: 9001 },
        { address: '::1', port: 9001 },
        { address: '127.0.0.1', port: 9010 },
        { address: '0.0.0.0', port: 8443 },
      ],
    },
  },
  'the virtual host that is printed for Watchword itself': {
    modules: ['reqtimeout'],
    wiki: place('/pages'),
    more: vhostConfiguration({
      serverName: 'auth.example.com',
      certificate: '/F/certificate.pem',
      key: '/F/key.pem',
      backend: { kind: 'tcp', host: '127.0.0.1', port: 8000 },
      httpPort: 8080,
      httpsPort: 8443,
    }).replaceAll('"/F/', '"F/'),
  },
  'a Watchword that Apache runs': {
    modules: ['reqtimeout', 'passenger'],
    wiki: place('/pages'),
    more: passengerConfiguration({
      serverName: 'auth.example.com',
      certificate: '/F/certificate.pem',
      key: '/F/key.pem',
      ...{ root: '/opt/watchword', node: '/usr/bin/node', settings: '/etc/watchword/watchword.toml' },
      ...{ data: '/var/lib/watchword', user: 'nobody', group: 'nogroup', environment: {} },
      ...{ httpPort: 8080, httpsPort: 8443 },
    }).replaceAll('"/F/', '"F/'),
  },
  'files that are kept from an application': {
    wiki: `${cookies}\nProxyPass "/pages" "!"\nProxyPass "/" "http://127.0.0.1:9001/"\n${place('/pages')}`,
    more: '<VirtualHost 127.0.0.1:8443>\nServerName shop.example.org\nSSLEngine on\nSSLCertificateFile F/certificate.pem\nSSLCertificateKeyFile F/key.pem\nProxyPass "/" "http://127.0.0.1:9001/"\n</VirtualHost>',
  },
  'a place in the virtual host of Watchword': {
    wiki: `ServerAlias auth.example.com\nProxyPass "/pages" "!"\nProxyPass "/" "http://127.0.0.1:8000/"\n${place('/pages')}`,
  },
  'several nodes of Watchword, as they are printed': {
    modules: balancerModules,
    wiki: place('/pages'),
    more: nodes.replaceAll('"/F/', '"F/'),
  },
  'a place in the virtual host of several nodes': {
    modules: balancerModules,
    wiki: `ServerAlias auth.example.com
<Proxy "balancer://watchword">
BalancerMember "http://127.0.0.1:8000" hcmethod=GET hcuri=/readyz
BalancerMember "unix:/run/watchword/b.sock|http://node-2"
ProxySet lbmethod=bybusyness
</Proxy>
ProxyPass "/pages" "!"
ProxyPass "/" "balancer://watchword/"
${place('/pages')}`,
  },
  'an application behind a balancer': {
    modules: balancerModules,
    wiki: `<Proxy "balancer://app">
BalancerMember "http://127.0.0.1:9001"
BalancerMember "http://127.0.0.1:9002"
</Proxy>
ProxyPass "/app" "balancer://app/app"
${place('/app')}`,
  },
  'unencrypted addresses sent on by a rule': {
    wiki: place('/'),
    plain:
      '<VirtualHost *:8080>\nServerName wiki.example.net\nDocumentRoot F/wiki\nRewriteEngine on\nRewriteCond %{HTTPS} off\nRewriteRule ^ https://%{SERVER_NAME}%{REQUEST_URI} [R=301,L]\n</VirtualHost>',
  },
  'variables, conditions and files of the operator': {
    files: { 'watchword-places.conf': () => place(`\${WIKI}`) },
    server: 'Define WIKI /pages\n<IfModule mod_ssl.c>\nSSLSessionCache none\n</IfModule>',
    wiki: 'Include watchword-places.conf',
  },
  'places by a macro': {
    modules: ['macro'],
    server:
      '<Macro Protect $path $policy>\n<Location "$path">\nInclude watchword/protect-$policy.conf\n</Location>\n</Macro>',
    wiki: 'Use Protect /pages two-factor',
  },
  'several slashes for one in a plain path': { wiki: `MergeSlashes Off\n${place('/pages')}` },
  'a host that a module alone brings': {
    more: `<IfModule mod_gnutls.c>\n<VirtualHost *:8444>\n${place('/pages')}\n</VirtualHost>\n</IfModule>`,
  },
  'a path that an application has with a last slash only': {
    wiki: `ProxyPass "/app/" "http://127.0.0.1:9001/"\n${place('/app/')}`,
  },
  'a proxy in front of Apache, by its address': {
    modules: ['remoteip'],
    wiki: `RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 192.0.2.7\n${place('/')}`,
  },
  'repositories of git for members, others for everybody': {
    wiki: `ScriptAlias "/git/" "/usr/lib/git-core/git-http-backend/"
ScriptAlias "/public/" "/usr/lib/git-core/git-http-backend/"
<Location "/public">
SetEnv GIT_PROJECT_ROOT /srv/public
Require all granted
</Location>
${place('/git', 'SetEnv GIT_PROJECT_ROOT /srv/git')}`,
  },
  'rules of paths for people, as the guide has them': repository('  SVNPathAuthz short_circuit'),
  'rules of paths in a folder of the server that says how they are asked': {
    modules: ['dav', 'dav_svn', 'authz_svn'],
    wiki: `SVNPathAuthz short_circuit
${place('/svn', '', 'repositories')}
<Location "/svn/one">
DAV svn
SVNPath F/svn
AuthzSVNAccessFile F/authz
AuthzSVNAnonymous On
AuthzSVNAuthoritative On
AuthzSVNNoAuthWhenAnonymousAllowed Off
</Location>`,
  },
  'rules of paths where nothing is protected': {
    modules: ['dav', 'dav_svn', 'authz_svn'],
    wiki: `${place('/pages')}\n<Location "/svn">\nDAV svn\nSVNPath F/svn\nAuthzSVNAccessFile F/authz\n</Location>`,
  },
  'a program that answers for what is no file': {
    wiki: `RewriteEngine on\nRewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-f\nRewriteRule ^(.*)$ /index.php [L]\n${place('/pages')}`,
  },
  'logs and levels as Debian has them': {
    server:
      'LogLevel warn ssl:info\nLogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined\nCustomLog F/access.log combined',
    wiki: place('/'),
  },
}

import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Debian's own, whatever comes first in PATH: it has Django. */
const python = '/usr/bin/python3'

/** A site of Django with django-otp and a profile with a secret, as a tutorial would have it built. */
export interface DjangoSite {
  readonly folder: string
  readonly databaseFile: string
  /** Runs Python in the site, with its models at hand, and gives back what it printed. */
  python(script: string): string
}

/** Builds the site as `django-admin` and `manage.py` do, on SQLite or on a database of PostgreSQL, in few processes, since each takes a second to start. */
export function buildDjangoSite(
  folder: string,
  postgres?: { readonly folder: string; readonly database: string },
): DjangoSite {
  mkdirSync(folder, { recursive: true })
  const run = (script: string) =>
    execFileSync(python, ['-'], {
      cwd: folder,
      input: `from django.core.management import call_command\n${script}\n`,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1' },
    })
  const inSite = (script: string) =>
    run(
      `import django, os, sys\nsys.path.insert(0, '.')\nos.environ['DJANGO_SETTINGS_MODULE'] = 'myauthproject.settings'\ndjango.setup()\n${script}`,
    )
  run(`call_command('startproject', 'myauthproject', '.')\ncall_command('startapp', 'auth_app')`)
  appendFileSync(join(folder, 'myauthproject', 'settings.py'), settings)
  if (postgres !== undefined) {
    const { folder: host, database } = postgres
    appendFileSync(
      join(folder, 'myauthproject', 'settings.py'),
      `DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': '${database}', 'USER': 'postgres', 'HOST': '${host}'}}\n`,
    )
  }
  writeFileSync(join(folder, 'auth_app', 'models.py'), models)
  writeFileSync(join(folder, 'auth_app', 'hashers.py'), scryptHasher)
  inSite(`call_command('makemigrations', 'auth_app', verbosity=0)\ncall_command('migrate', verbosity=0)`)
  return { folder, databaseFile: join(folder, 'db.sqlite3'), python: inSite }
}

const settings = `
INSTALLED_APPS += ['django.contrib.sites', 'django_otp', 'django_otp.plugins.otp_totp', 'django_otp.plugins.otp_hotp',
                   'django_otp.plugins.otp_static', 'django_otp.plugins.otp_email', 'rest_framework', 'auth_app']
MIDDLEWARE += ['django_otp.middleware.OTPMiddleware']
SITE_ID = 1
DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'
PASSWORD_HASHERS = ['django.contrib.auth.hashers.' + name for name in (
    'PBKDF2PasswordHasher', 'PBKDF2SHA1PasswordHasher', 'Argon2PasswordHasher', 'BCryptSHA256PasswordHasher',
    'BCryptPasswordHasher', 'MD5PasswordHasher', 'SHA1PasswordHasher', 'UnsaltedMD5PasswordHasher',
    'UnsaltedSHA1PasswordHasher', 'CryptPasswordHasher')] + ['auth_app.hashers.ScryptPasswordHasher']
`

const models = `
from django.contrib.auth.models import User
from django.db import models
from django_otp.plugins.otp_totp.models import TOTPDevice

class UserProfile(models.Model):
   user = models.OneToOneField(User, on_delete=models.CASCADE)
   shared_secret = models.CharField(max_length=50)  # Store shared secret here
   otp_device = models.OneToOneField(TOTPDevice, on_delete=models.SET_NULL, null=True, blank=True)
`

/** Django has this one from 4.0 on; Debian's is older. Its format, computed by Python's own scrypt. */
const scryptHasher = `
import base64, hashlib
from django.contrib.auth.hashers import BasePasswordHasher

class ScryptPasswordHasher(BasePasswordHasher):
    algorithm = 'scrypt'

    def encode(self, password, salt):
        digest = hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**14, r=8, p=1, maxmem=2**26, dklen=64)
        return 'scrypt$16384$%s$8$1$%s' % (salt, base64.b64encode(digest).decode('ascii'))

    def verify(self, password, encoded):
        return self.encode(password, encoded.split('$')[2]) == encoded
`

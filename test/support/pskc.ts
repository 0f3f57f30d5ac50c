import { createCipheriv, createHmac } from 'node:crypto'

/** What the examples of RFC 6030 have in common: the key that is shared, the key of the MAC, and the key of the token. */
export const rfc6030 = {
  sharedKey: Buffer.from('12345678901234567890123456789012', 'hex'),
  macKey: Buffer.from('1122334455667788990011223344556677889900', 'hex'),
  secret: Buffer.from('12345678901234567890'),
  plain: 'MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=',
  encryptedMacKey: 'ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX',
  encryptedSecret: 'AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv',
  valueMac: 'Su+NvtQfmvfJzF6bmQiJqoLRExc=',
} as const

/** What figure 7 of RFC 6030 has: a key that is derived of a passphrase. */
export const figure7 = {
  passphrase: 'qwerty',
  derivedKey: Buffer.from('651e63cd57008476af1ff6422cd02e41', 'hex'),
  salt: 'Ej7/PEpyEpw=',
  encryptedMacKey: '2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx',
  encryptedSecret: 'oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f',
  valueMac: 'LP6xMvjtypbfT9PdkJhBZ+D6O4w=',
} as const

const namespaces =
  'xmlns="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"'

export const container = (...parts: string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<KeyContainer Version="1.0" ${namespaces}>\n${parts.join('\n')}\n</KeyContainer>\n`

export const cbc = (cipherValue: string, bits: 128 | 256 = 128): string =>
  `<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes${bits}-cbc"/><xenc:CipherData><xenc:CipherValue>${cipherValue}</xenc:CipherValue></xenc:CipherData>`

/** The key of a container that is derived of a passphrase, as figure 7 of RFC 6030 has it where nothing else is said. */
export const derivedKey = ({
  method = 'http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2',
  salt = `<Salt><Specified>${figure7.salt}</Specified></Salt>`,
  iterations = '1000',
  length = '16',
  prf = '<PRF/>',
} = {}): string =>
  `<xenc11:DerivedKey><xenc11:KeyDerivationMethod Algorithm="${method}"><pkcs5:PBKDF2-params>${salt}<IterationCount>${iterations}</IterationCount><KeyLength>${length}</KeyLength>${prf}</pkcs5:PBKDF2-params></xenc11:KeyDerivationMethod><xenc11:MasterKeyName>My Password 1</xenc11:MasterKeyName></xenc11:DerivedKey>`

/** The head of an encrypted container, with the method of its MAC. */
export const protectedBy = (
  macKey: string,
  {
    mac = 'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
    key = '<ds:KeyName>Pre-shared-key</ds:KeyName>',
  } = {},
): string =>
  `<EncryptionKey>${key}</EncryptionKey><MACMethod Algorithm="${mac}"><MACKey>${macKey}</MACKey></MACMethod>`

export const plainSecret = (secret: string): string => `<Secret><PlainValue>${secret}</PlainValue></Secret>`
export const encryptedSecret = (value: string, mac: string): string =>
  `<Secret><EncryptedValue>${value}</EncryptedValue><ValueMAC>${mac}</ValueMAC></Secret>`

interface Token {
  readonly serial?: string
  readonly keyId?: string
  readonly kind?: string
  readonly secret?: string
  /** Within `Data`. */
  readonly data?: string
  readonly suite?: string
  readonly format?: string
  /** Behind `Data`: whose it is, and its policy. */
  readonly after?: string
  /** Within `DeviceInfo`. */
  readonly device?: string
}

/** A token, as the first example of RFC 6030 has it where nothing else is said. */
export const token = ({
  serial = '987654321',
  keyId = '12345678',
  kind = 'hotp',
  secret = plainSecret(rfc6030.plain),
  data = '<Counter><PlainValue>0</PlainValue></Counter>',
  suite = '',
  format = '<ResponseFormat Length="8" Encoding="DECIMAL"/>',
  after = '<UserId>jsmith</UserId>',
  device = '',
}: Token = {}): string =>
  `<KeyPackage><DeviceInfo><Manufacturer>Manufacturer</Manufacturer><SerialNo>${serial}</SerialNo>${device}</DeviceInfo>
<Key Id="${keyId}" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:${kind}"><Issuer>Issuer</Issuer>
<AlgorithmParameters>${suite}${format}</AlgorithmParameters><Data>${secret}${data}</Data>${after}</Key></KeyPackage>`

/** A value under AES-CBC, and the MAC of it. */
export function sealedValue(
  value: Uint8Array,
  { key, macKey, hash }: { key: Uint8Array; macKey: Uint8Array; hash: 'sha1' | 'sha256' },
): { value: string; mac: string } {
  const iv = Buffer.alloc(16, 7)
  const cipher = createCipheriv(key.length === 16 ? 'aes-128-cbc' : 'aes-256-cbc', key, iv)
  const bytes = Buffer.concat([iv, cipher.update(value), cipher.final()])
  const mac = createHmac(hash, macKey).update(bytes).digest('base64')
  return { value: bytes.toString('base64'), mac }
}

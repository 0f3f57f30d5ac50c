import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { linesOf, wordsOf } from '../../../src/apache/doctor/lines.ts'
import { type ReadOptions, readConfiguration } from '../../../src/apache/doctor/read.ts'
import type { Node } from '../../../src/apache/doctor/tree.ts'

function read(files: Readonly<Record<string, string>>, more: Partial<ReadOptions> = {}) {
  const paths = Object.keys(files).toSorted()
  return readConfiguration({
    file: '/a/main.conf',
    serverRoot: '/a',
    read: (path) => files[path],
    list: (pattern) =>
      paths.filter(
        (path) => path === pattern || (pattern.endsWith('/*.conf') && path.startsWith(pattern.slice(0, -6))),
      ),
    modules: ['so_module'],
    defines: [],
    environment: new Map([['APACHE_LOG_DIR', '/var/log']]),
    version: '2.4.62',
    ...more,
  })
}

/** Names and words with the lines they stand in, sections and files in brackets. */
const shape = (nodes: readonly Node[]): string =>
  nodes
    .map((node) => {
      if (node.kind === 'included') return `${node.file}(${shape(node.nodes)})`
      const line = `${node.name}:${node.words.join(',')}@${node.at.line}`
      return node.kind === 'section' ? `${line}[${shape(node.nodes)}]` : line
    })
    .join(' ')

const shapeOf = (text: string, more: Partial<ReadOptions> = {}) =>
  shape(read({ '/a/main.conf': text }, more).nodes)

describe('configuration of Apache is read as Apache reads it', () => {
  it('takes a line that ends in \\ on, and says where it began', () => {
    const lines = linesOf('A 1\n  B 2 \\\n 3\\\n4\n# C \\\n D\nE', 'f')
    assert.deepEqual(
      lines.map(({ text, at }) => [text, at.line]),
      [
        ['A 1', 1],
        ['B 2  34', 2],
        ['E', 7],
      ],
    )
  })

  it('splits words at blanks, but not in quotes', () => {
    assert.deepEqual(wordsOf(`a "b c" 'd "e' "f\\"g" h"i`), ['a', 'b c', 'd "e', 'f"g', 'h"i'])
    assert.deepEqual(wordsOf(''), [])
    assert.deepEqual(wordsOf('""'), [''])
  })

  it('nests sections, of one name too', () => {
    assert.equal(
      shapeOf(
        '<VirtualHost *:80>\n<Location "/a">\n<If "%{X} == \'y\'">\nRequire all granted\n</If>\n</Location>\n</VirtualHost>\nListen 80',
      ),
      `virtualhost:*:80@1[location:/a@2[if:%{X} == 'y'@3[require:all,granted@4]]] listen:80@8`,
    )
    assert.equal(
      shapeOf(
        '<RequireAny>\n<RequireAll>\n<RequireAny>\nRequire local\n</RequireAny>\n</RequireAll>\n</RequireAny>',
      ),
      'requireany:@1[requireall:@2[requireany:@3[require:local@4]]]',
    )
  })

  it('includes files in order, by pattern and from the folder of the server, and knows who did', () => {
    const files = {
      '/a/main.conf':
        'Include on/*.conf\nServerRoot "/b"\nInclude c.conf\nIncludeOptional /none.conf\nInclude /gone.conf',
      '/a/on/1.conf': 'One 1',
      '/a/on/2.conf': 'Two 2',
      '/b/c.conf': 'Three 3',
    }
    const { nodes, missing, optional, texts } = read(files)
    assert.equal(
      shape(nodes),
      '/a/on/1.conf(one:1@1) /a/on/2.conf(two:2@1) serverroot:/b@2 /b/c.conf(three:3@1)',
    )
    assert.deepEqual(missing, [{ at: { file: '/a/main.conf', line: 5 }, pattern: '/gone.conf' }])
    assert.deepEqual(optional, [
      { at: { file: '/a/main.conf', line: 4 }, pattern: '/none.conf', found: false },
    ])
    assert.equal(texts.size, 4)
  })

  it('ends where files include each other', () => {
    assert.match(shape(read({ '/a/main.conf': 'Include main.conf\nX 1' }).nodes), /x:1@2/)
  })

  it('fills variables in: defined ones, then those of the environment, else none', () => {
    assert.equal(
      shapeOf(`Define P /wiki\n<Location "\${P}">\nX \${APACHE_LOG_DIR}/a \${NOPE}\n</Location>`),
      `location:/wiki@2[x:/var/log/a,\${NOPE}@3]`,
    )
  })

  it('leaves out what a condition excludes, and remembers it', () => {
    const text = `LoadModule ssl_module x
<IfModule mod_ssl.c>
A 1
</IfModule>
<IfModule !ssl_module>
B 1
</IfModule>
<IfDefine D>
C 1
</IfDefine>
<IfVersion >= 2.4.7>
E 1
</IfVersion>
<IfVersion < 2.4>
F 1
</IfVersion>
<IfFile "/none">
G 1
</IfFile>`
    const { nodes, skipped } = read({ '/a/main.conf': text })
    assert.equal(shape(nodes), 'loadmodule:ssl_module,x@1 a:1@3 e:1@12')
    assert.deepEqual(
      skipped.map(({ text: line }) => line),
      ['B 1', 'C 1', 'F 1', 'G 1'],
    )
    assert.match(shape(read({ '/a/main.conf': text }, { defines: ['D'] }).nodes), / c:1@9 /)
  })

  it('writes macros out', () => {
    assert.equal(
      shapeOf(
        '<Macro Open $p $path>\n<Location "$path">\nX $p\n</Location>\n</Macro>\nUse Open 1 /a\nUse Open 2 /b',
      ),
      'location:/a@2[x:1@3] location:/b@2[x:2@3]',
    )
  })
})

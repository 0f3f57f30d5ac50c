import { spawn } from 'node:child_process'
import { root } from './runtime.js'

/** @typedef {{ code: number, signal: NodeJS.Signals | null }} Ending `signal` is null when the process exited */

/**
 * Runs a program to its end, with our terminal, and passes on the signals that are meant to end it.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<Ending>} code 127 if the program could not be started, which is said on standard error
 */
export function run(file, args, { env = process.env } = {}) {
  const child = spawn(file, args, { stdio: 'inherit', env })
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // Ctrl-C reaches the whole group, the child too: once from us would be twice for it.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
  for (const signal of signals) process.on(signal, forward)

  return new Promise((resolve) => {
    /** @param {Ending} ending */
    const end = (ending) => {
      for (const signal of signals) process.off(signal, forward)
      resolve(ending)
    }
    child.on('error', (error) => {
      process.stderr.write(`${file} cannot be run: ${error.message}\n`)
      end({ code: 127, signal: null })
    })
    child.on('exit', (code, signal) => end({ code: code ?? 1, signal }))
  })
}

/**
 * Runs a program to its end and keeps what it says, to be shown if it matters.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function runQuietly(file, args, { env = process.env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env })
    let output = ''
    /** @param {string} text */
    const keep = (text) => {
      output += text
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.on('error', (error) => resolve({ code: 127, output: `${file} cannot be run: ${error.message}\n` }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

// Comfort only: every page works without this file.
document.documentElement.classList.add('script')

/** A button beside text that copies it: data-copy holds the selector of what to copy. */
for (const button of document.querySelectorAll('button[data-copy]')) {
  button.addEventListener('click', async () => {
    const items = [...document.querySelectorAll(button.dataset.copy)]
    try {
      await navigator.clipboard.writeText(
        items.map((item) => item.dataset.text ?? item.textContent.trim()).join('\n'),
      )
      button.textContent = button.dataset.done
    } catch {
      // Without the permission to copy the text can still be selected by hand.
      getSelection().selectAllChildren(items[0].parentElement)
    }
  })
}

for (const button of document.querySelectorAll('button[data-print]')) {
  button.addEventListener('click', () => print())
}

/** Saves what it would copy as a file. */
for (const link of document.querySelectorAll('button[data-download]')) {
  link.addEventListener('click', () => {
    const lines = [...document.querySelectorAll(link.dataset.source)].map((item) => item.textContent.trim())
    const anchor = document.createElement('a')
    anchor.href = URL.createObjectURL(new Blob([`${lines.join('\n')}\n`], { type: 'text/plain' }))
    anchor.download = link.dataset.download
    anchor.click()
    URL.revokeObjectURL(anchor.href)
  })
}

/** Shows a password while the button is pressed in. */
for (const button of document.querySelectorAll('button[data-reveal]')) {
  const field = document.getElementById(button.dataset.reveal)
  button.addEventListener('click', () => {
    const isShown = field.type === 'text'
    field.type = isShown ? 'password' : 'text'
    button.setAttribute('aria-pressed', String(!isShown))
  })
}

/** One-time addresses carry their code behind the #, which never leaves the browser by itself. */
const code = document.querySelector('input[data-fragment]')
if (code && location.hash.length > 1) {
  code.value = location.hash.slice(1)
  history.replaceState(null, '', location.pathname + location.search)
  code.closest('.field').hidden = true
  code.form.querySelector('input:not([type="hidden"]):not([data-fragment])')?.focus()
}

/** Times come in UTC and are shown as the reader's clock shows them. */
const style = { dateStyle: 'medium', timeStyle: 'short' }
for (const time of document.querySelectorAll('time[datetime]')) {
  const { language } = document.documentElement.dataset
  const parts = time.dataset.clock === undefined ? style : { timeStyle: 'medium' }
  time.title = time.textContent
  time.textContent = new Intl.DateTimeFormat(language, parts).format(new Date(time.dateTime))
}

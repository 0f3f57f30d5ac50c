// The colours of the system, also when they change at sunset.
const darkness = matchMedia('(prefers-color-scheme: dark)')
const showColours = () => document.documentElement.classList.toggle('dark-mode', darkness.matches)
darkness.addEventListener('change', showColours)
showColours()

/**
 * Takes out the forms for cookies, which no script may set and the browser sends by itself, and the choice among one
 * server.
 */
const withoutChoices = () => ({
  wrapComponents: {
    authorizeBtn: () => () => null,
    authorizeOperationBtn: () => () => null,
    ServersContainer: () => () => null,
  },
})

SwaggerUIBundle({
  domNode: document.getElementById('api'),
  url: '/openapi.json',
  plugins: [withoutChoices],
  deepLinking: true,
  docExpansion: 'list',
  displayRequestDuration: true,
  // Asks a server of its makers about the document unless told not to.
  validatorUrl: null,
  // An address that says where the document is would let anybody show theirs under our name.
  queryConfigEnabled: false,
})

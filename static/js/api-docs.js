/*
 * The page of the API's document: Swagger UI, told where the document is.
 */

globalThis.SwaggerUIBundle({
  url: document.querySelector('link[rel=service-desc]').href,
  dom_id: '#swagger',
  deepLinking: true,
  docExpansion: 'list',
  tryItOutEnabled: true,
  validatorUrl: null, // asks nobody
})
